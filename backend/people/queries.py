"""Organisation, people, teams, and what only one person or the admins may read of them."""

from datetime import date

import msgspec

from backend.access.asker import Asker
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.notifications.contracts import NotificationSettings
from backend.people.audit import KINDS
from backend.people.contracts import (
    ApiToken,
    AuditEntry,
    AuditKind,
    AuditPage,
    Invitation,
    InvitationOffer,
    Me,
    Organisation,
    Person,
    SetUpState,
    Team,
)
from backend.people.sessions import hash_of

AUDIT_PAGE = 100
settings_of = msgspec.json.Decoder(NotificationSettings).decode
_shortcuts = msgspec.json.Decoder(dict[str, str])

OFFERED = (
    "i.accepted_at IS NULL AND i.expires_at > now() AND EXISTS (SELECT 1 FROM users u WHERE u.id = i.invited_by "
    "AND u.active AND u.role IN ('owner', 'admin'))"
)
"""SQL: the invitation `i` still stands. It falls with the rights of whoever wrote it."""


def person_of(record: Row) -> Person:
    return Person(
        id=record["id"],
        name=record["name"],
        email=record["email"],
        role=record["role"],
        active=record["active"],
        colour=record["colour"],
        away_until=record["away_until"],
    )


def me_of(record: Row) -> Me:
    return Me(
        person=person_of(record),
        time_zone=record["time_zone"],
        locale=record["locale"],
        theme=record["theme"],
        notify=settings_of(record["notify"]),
        digest=record["digest"],
        shortcuts=_shortcuts.decode(record["shortcuts"]),
    )


async def read_people() -> list[Person]:
    """Everybody, also those whose account was closed: their names stand under what they wrote."""
    return [person_of(record) for record in await fetch("SELECT * FROM users ORDER BY id")]


async def read_me(asker: Asker) -> Me:
    record = await fetch_row("SELECT * FROM users WHERE id = $1", asker.user_id)
    assert record is not None
    return me_of(record)


async def read_organisation() -> Organisation:
    return Organisation(name=await fetch_value("SELECT name FROM organisation") or "")


async def read_set_up_state(*, can_mail: bool) -> SetUpState:
    """What the pages before signing in show."""
    return SetUpState(
        needs_set_up=not await fetch_value("SELECT EXISTS (SELECT 1 FROM users)"),
        organisation_name=(await read_organisation()).name,
        can_mail_passwords=can_mail,
    )


async def read_teams(team_ids: list[int] | None = None) -> list[Team]:
    """These teams (None: all) with their members."""
    records = await fetch(
        "SELECT t.id, t.name, ARRAY(SELECT m.user_id FROM team_members m WHERE m.team_id = t.id ORDER BY 1) AS members "
        "FROM teams t WHERE $1::bigint[] IS NULL OR t.id = ANY($1) ORDER BY t.id",
        team_ids,
    )
    return [Team(id=record["id"], name=record["name"], member_ids=list(record["members"])) for record in records]


def token_of(record: Row) -> ApiToken:
    return ApiToken(
        id=record["id"],
        name=record["name"],
        prefix=record["prefix"],
        created_at=record["created_at"],
        last_used_at=record["last_used_at"],
    )


async def list_tokens(asker: Asker) -> list[ApiToken]:
    """The person's own API tokens."""
    records = await fetch("SELECT * FROM api_tokens WHERE user_id = $1 ORDER BY id", asker.user_id)
    return [token_of(record) for record in records]


def invitation_of(record: Row) -> Invitation:
    return Invitation(
        id=record["id"],
        email=record["email"],
        role=record["role"],
        invited_by=record["invited_by"],
        expires_at=record["expires_at"],
        accepted=record["accepted_at"] is not None,
    )


async def list_invitations() -> list[Invitation]:
    """All invitations, the newest first. For admins."""
    return [invitation_of(record) for record in await fetch("SELECT * FROM invitations ORDER BY id DESC")]


async def read_offer(token: str) -> InvitationOffer:
    """What an invitation's link offers. Raises NotFound when it is used up, too old, or taken back."""
    record = await fetch_row(
        "SELECT i.email, u.name FROM invitations i JOIN users u ON u.id = i.invited_by "
        f"WHERE i.token_hash = $1 AND {OFFERED}",
        hash_of(token),
    )
    if record is None:
        raise offer_is_gone()
    return InvitationOffer(
        organisation_name=(await read_organisation()).name, email=record["email"], invited_by_name=record["name"]
    )


def offer_is_gone() -> NotFound:
    return NotFound(
        "This invitation is no longer valid.", "Ask whoever invited you for a new link, or sign in if you have joined."
    )


async def read_audit(
    *,
    cursor: int | None,
    person_id: int | None = None,
    kind: AuditKind | None = None,
    since: date | None = None,
    until: date | None = None,
) -> AuditPage:
    """The newest 100 entries, or those before the id `cursor`: by or about a person, of one kind, on days (in UTC, both
    included). For admins."""
    records = await fetch(
        "SELECT * FROM audit_entries WHERE ($1::bigint IS NULL OR id < $1) "
        "AND ($3::bigint IS NULL OR actor_id = $3 OR subject = 'user:' || $3) "
        "AND ($4::text[] IS NULL OR action = ANY($4)) "
        "AND ($5::date IS NULL OR at >= $5::date::timestamp AT TIME ZONE 'UTC') "
        "AND ($6::date IS NULL OR at < ($6::date + 1)::timestamp AT TIME ZONE 'UTC') ORDER BY id DESC LIMIT $2",
        cursor,
        AUDIT_PAGE + 1,
        person_id,
        list(KINDS[kind]) if kind is not None else None,
        since,
        until,
    )
    items = [
        AuditEntry(
            id=record["id"],
            at=record["at"],
            actor_id=record["actor_id"],
            action=record["action"],
            subject=record["subject"],
            detail=msgspec.json.decode(record["detail"], type=dict[str, object]),
        )
        for record in records[:AUDIT_PAGE]
    ]
    return AuditPage(items=items, next_cursor=items[-1].id if len(records) > AUDIT_PAGE else None)
