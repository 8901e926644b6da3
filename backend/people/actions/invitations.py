"""Inviting people by link, and joining by it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound
from backend.events.record import ORGANISATION, action
from backend.jobs import enqueue
from backend.mailboxes.membership import (
    lock_every_mailbox,
    lock_memberships,
    mailboxes_of_team,
    readers_changing,
)
from backend.outgoing_servers.system import can_mail
from backend.people.actions.entering import add_user
from backend.people.audit import audit
from backend.people.checks import check_email, check_name, check_password, refuse
from backend.people.contracts import AcceptInvitation, CreateInvitation, InvitationCreated, Me, TeamChanged
from backend.people.links import invitation_link, invitation_token
from backend.people.passwords import hash_password
from backend.people.queries import OFFERED, invitation_of, offer_is_gone, read_teams
from backend.people.sessions import hash_of, start_session
from backend.settings import Settings

LIFETIME = timedelta(days=7)


async def invite(asker: Asker, configured: Settings, given: CreateInvitation) -> InvitationCreated:
    """Invite an address; an earlier invitation of it falls. It is mailed too where Tandem can send mail of its own.

    Raises Unacceptable for teams or mailboxes that are not there, Conflict for somebody who is.
    """
    email = check_email(given.email)
    if given.role == "owner":
        raise refuse("role", "Nobody joins as an owner.", "Invite an admin, and make them an owner afterwards.")
    async with action(asker.user_id):
        await lock_memberships()
        await _check_not_here(email)
        await _check_places(given)
        await execute("DELETE FROM invitations WHERE email = $1 AND accepted_at IS NULL", email)
        invitation_id = await fetch_value("SELECT nextval(pg_get_serial_sequence('invitations', 'id'))")
        now = datetime.now(UTC)
        token = invitation_token(configured, invitation_id, now)
        record = await fetch_row(
            "INSERT INTO invitations (id, token_hash, email, role, team_ids, mailbox_ids, invited_by, created_at, "
            "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *",
            invitation_id,
            hash_of(token),
            email,
            given.role,
            msgspec.json.encode(sorted(set(given.team_ids))).decode(),
            msgspec.json.encode(sorted(set(given.mailbox_ids))).decode(),
            asker.user_id,
            now,
            now + LIFETIME,
        )
        assert record is not None
        mails = await can_mail(configured)
        if mails:
            await enqueue("system_mail", kind="invitation", id=invitation_id)
        await audit(
            asker.user_id,
            "invited",
            f"invitation:{invitation_id}",
            email=email,
            role=given.role,
            team_ids=given.team_ids,
            mailbox_ids=given.mailbox_ids,
        )
    return InvitationCreated(
        invitation=invitation_of(record),
        link=invitation_link(configured, token),
        mailed=mails,
    )


async def withdraw_invitation(asker: Asker, invitation_id: int) -> None:
    """The link opens nothing from now on. Raises NotFound."""
    async with action(asker.user_id):
        gone = await fetch_row("DELETE FROM invitations WHERE id = $1 RETURNING email", invitation_id)
        if gone is None:
            raise NotFound("There is no such invitation.", "It may have been taken back meanwhile.")
        await audit(asker.user_id, "invitation_withdrawn", f"invitation:{invitation_id}", email=gone["email"])


async def accept_invitation(given: AcceptInvitation, user_agent: str) -> tuple[Me, str]:
    """Join: a new account in the teams and mailboxes that the invitation names. Answers person and session cookie."""
    email = await fetch_value(
        f"SELECT email FROM invitations i WHERE token_hash = $1 AND {OFFERED}", hash_of(given.token)
    )
    if email is None:
        raise offer_is_gone()
    name = check_name(given.name)
    check_password(given.password, email)
    password_hash = await hash_password(given.password)
    async with action(None) as act:
        await lock_memberships()
        await lock_every_mailbox()
        offer = await fetch_row(
            f"UPDATE invitations i SET accepted_at = now() WHERE token_hash = $1 AND {OFFERED} RETURNING *",
            hash_of(given.token),
        )
        if offer is None:
            raise offer_is_gone()
        await _check_not_here(email)
        me = await add_user(act, name=name, email=email, password_hash=password_hash, role=offer["role"])
        # What was dissolved or removed since then is passed over.
        team_ids = await _still_there("teams", offer["team_ids"])
        mailbox_ids = await _still_there("mailboxes", offer["mailbox_ids"])
        concerned = set(mailbox_ids)
        for team_id in team_ids:
            concerned.update(await mailboxes_of_team(team_id))
        async with readers_changing(act, concerned):
            for team_id in team_ids:
                await execute("INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)", team_id, me.person.id)
            for mailbox_id in mailbox_ids:
                await execute(
                    "INSERT INTO mailbox_users (mailbox_id, user_id) VALUES ($1, $2)", mailbox_id, me.person.id
                )
        for team in await read_teams(team_ids):
            act.record(ORGANISATION, TeamChanged(team=team))
        await audit(me.person.id, "joined", f"user:{me.person.id}", invitation_id=offer["id"])
        return me, await start_session(me.person.id, user_agent)


async def read_invitation_to_mail(invitation_id: int) -> Row | None:
    """For the worker: what a mail needs to say, while the invitation stands."""
    return await fetch_row(
        "SELECT i.*, u.name AS inviter, (SELECT name FROM organisation) AS organisation FROM invitations i "
        f"JOIN users u ON u.id = i.invited_by WHERE i.id = $1 AND {OFFERED}",
        invitation_id,
    )


async def _check_not_here(email: str) -> None:
    if await fetch_value("SELECT 1 FROM users WHERE email = $1", email):
        raise Conflict("This address belongs to somebody here already.", "Sign in with it, or use another address.")


async def _check_places(given: CreateInvitation) -> None:
    if len(await _existing("teams", given.team_ids)) != len(set(given.team_ids)):
        raise refuse("team_ids", "One of these teams is not here any more.", "Choose among the teams listed.")
    if len(await _existing("mailboxes", given.mailbox_ids)) != len(set(given.mailbox_ids)):
        raise refuse("mailbox_ids", "One of these mailboxes cannot be shared.", "Choose among the group mailboxes.")


async def _still_there(table: str, stored: str) -> list[int]:
    return await _existing(table, msgspec.json.decode(stored, type=list[int]))


async def _existing(table: str, ids: Sequence[int]) -> list[int]:
    condition = " AND kind = 'group'" if table == "mailboxes" else ""
    records = await fetch(f"SELECT id FROM {table} WHERE id = ANY($1){condition} ORDER BY id", list(ids))
    return [record["id"] for record in records]
