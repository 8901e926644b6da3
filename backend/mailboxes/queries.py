"""Mailboxes as one person may read them, and as admins see them in the settings."""

from collections.abc import Collection

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import SEES, SEES_AS_GUEST, SEES_AS_READER
from backend.accounts.contracts import AccountState
from backend.database.connection import Row, fetch, fetch_row
from backend.mailboxes.contracts import InTurn, Mailbox, MailboxCounts, MailboxSettings, Mentionable, WorkCounts

COLUMNS = """
    m.*,
    ARRAY(SELECT mu.user_id FROM mailbox_users mu WHERE mu.mailbox_id = m.id ORDER BY 1) AS member_ids,
    ARRAY(SELECT mt.team_id FROM mailbox_teams mt WHERE mt.mailbox_id = m.id ORDER BY 1) AS team_ids,
    ARRAY(SELECT r.user_id FROM mailbox_readers r WHERE r.mailbox_id = m.id ORDER BY 1) AS reader_ids,
    (SELECT a.state FROM mail_accounts a WHERE a.mailbox_id = m.id) AS account_state
"""

UNREAD = (
    "(coalesce(r.forced_unread, false) "
    "OR c.last_arrival > greatest(coalesce(r.read_up_to, 0), coalesce(w.read_from, 0)))"
)
"""SQL: the conversation `c` is unread, with the person's mark `r` and watermark `w`."""

UNREAD_COMMENTS = (
    "(c.comment_count > 0 AND EXISTS (SELECT 1 FROM comments k WHERE k.conversation_id = c.id AND k.deleted_at IS NULL "
    "AND k.id > greatest(coalesce(r.comments_read_up_to, 0), coalesce(w.comments_read_from, 0))))"
)
"""SQL: the conversation `c` has comments that are new to the person, with their mark `r` and watermark `w`."""

_state = msgspec.json.Decoder(AccountState)


def account_state(mailbox_id: int, stored: str | None) -> AccountState | None:
    """The state of a mailbox's account; None when it has no account."""
    if stored is None:
        return None
    if stored == "{}":
        return AccountState(mailbox_id=mailbox_id, status="connecting")
    return _state.decode(stored)


def in_turn_of(record: Row) -> InTurn:
    return InTurn(how=record["in_turn"], user_ids=list(record["in_turn_ids"]))


def mailbox_of(record: Row, read_from: int = 0, comments_read_from: int = 0) -> Mailbox:
    """A record with COLUMNS, as somebody who can open the mailbox sees it."""
    return Mailbox(
        id=record["id"],
        kind=record["kind"],
        name=record["name"],
        address=record["address"],
        colour=record["colour"],
        default_from_name=record["default_from_name"],
        reply_bcc=record["reply_bcc"],
        private_by_default=record["private_by_default"],
        owner_id=record["owner_id"],
        member_ids=list(record["member_ids"]),
        team_ids=list(record["team_ids"]),
        reader_ids=list(record["reader_ids"]),
        account=account_state(record["id"], record["account_state"]),
        read_from=read_from,
        comments_read_from=comments_read_from,
        in_turn=in_turn_of(record),
        send_as=record["send_as"],
    )


def settings_of(record: Row) -> MailboxSettings:
    """A record with COLUMNS, as the settings show it."""
    return MailboxSettings(
        id=record["id"],
        kind=record["kind"],
        name=record["name"],
        address=record["address"],
        colour=record["colour"],
        default_from_name=record["default_from_name"],
        reply_bcc=record["reply_bcc"],
        private_by_default=record["private_by_default"],
        owner_id=record["owner_id"],
        member_ids=list(record["member_ids"]),
        team_ids=list(record["team_ids"]),
        account=account_state(record["id"], record["account_state"]),
        in_turn=in_turn_of(record),
        send_as=record["send_as"],
    )


async def read_mailboxes(asker: Asker, mailbox_id: int | None = None) -> list[Mailbox]:
    """The mailboxes that the person can open (or that one of them), group mailboxes first."""
    records = await fetch(
        f"SELECT {COLUMNS}, coalesce(w.read_from, 0) AS read_from, "
        "coalesce(w.comments_read_from, 0) AS comments_read_from FROM mailboxes m "
        "LEFT JOIN watermarks w ON w.mailbox_id = m.id AND w.user_id = $1 "
        "WHERE m.id IN (SELECT mailbox_id FROM mailbox_readers WHERE user_id = $1) "
        "AND ($2::bigint IS NULL OR m.id = $2) ORDER BY m.kind, m.id",
        asker.user_id,
        mailbox_id,
    )
    return [mailbox_of(record, record["read_from"], record["comments_read_from"]) for record in records]


async def read_shared(mailbox_ids: Collection[int]) -> dict[int, Mailbox]:
    """These mailboxes as all of their readers see them (`read_from` is 0). Unscoped: for events alone."""
    records = await fetch(f"SELECT {COLUMNS} FROM mailboxes m WHERE m.id = ANY($1)", list(mailbox_ids))
    return {record["id"]: mailbox_of(record) for record in records}


async def list_settings() -> list[MailboxSettings]:
    """Every group mailbox, also those that the admin cannot read."""
    records = await fetch(f"SELECT {COLUMNS} FROM mailboxes m WHERE m.kind = 'group' ORDER BY m.id")
    return [settings_of(record) for record in records]


async def read_settings(mailbox_id: int) -> MailboxSettings:
    """Callers have passed `access_mailbox_settings` first."""
    record = await fetch_row(f"SELECT {COLUMNS} FROM mailboxes m WHERE m.id = $1", mailbox_id)
    assert record is not None
    return settings_of(record)


async def read_mentionable(mailbox_id: int) -> Mentionable:
    """Who can be mentioned in the mailbox: those who can open it, and teams with such a member."""
    records = await fetch(
        "SELECT r.user_id, t.team_id FROM mailbox_readers r LEFT JOIN team_members t ON t.user_id = r.user_id "
        "WHERE r.mailbox_id = $1",
        mailbox_id,
    )
    return Mentionable(
        person_ids=sorted({record["user_id"] for record in records}),
        team_ids=sorted({record["team_id"] for record in records if record["team_id"] is not None}),
    )


async def read_counts(asker: Asker) -> WorkCounts:
    """The numbers of the rail and the tabs. Every one counts only what the person sees."""
    sees, handles, guest = (each.format(user="$1") for each in (SEES, SEES_AS_READER, SEES_AS_GUEST))
    mailboxes = await fetch(
        "WITH seen AS (SELECT c.mailbox_id, c.assignee_id, c.assigned_team_id, "
        f"{UNREAD} AS unread, {UNREAD_COMMENTS} AS commented FROM conversations c "
        "LEFT JOIN read_marks r ON r.conversation_id = c.id AND r.user_id = $1 "
        "LEFT JOIN watermarks w ON w.mailbox_id = c.mailbox_id AND w.user_id = $1 "
        f"WHERE c.status = 'open' AND NOT c.hidden AND {handles} "
        "AND NOT (coalesce(r.remind_kind, '') = 'snooze' AND NOT r.remind_due)) "
        "SELECT o.mailbox_id, count(s.mailbox_id) AS open, "
        "count(s.mailbox_id) FILTER (WHERE s.assignee_id IS NULL AND s.assigned_team_id IS NULL) AS unassigned, "
        "count(s.mailbox_id) FILTER (WHERE s.assignee_id = $1) AS mine, "
        "count(s.mailbox_id) FILTER (WHERE s.unread) AS unread, "
        "count(s.mailbox_id) FILTER (WHERE s.commented) AS unread_comments "
        "FROM mailbox_readers o LEFT JOIN seen s ON s.mailbox_id = o.mailbox_id WHERE o.user_id = $1 "
        "GROUP BY o.mailbox_id ORDER BY o.mailbox_id",
        asker.user_id,
    )
    across = await fetch_row(
        "SELECT (SELECT count(*) FROM conversations c WHERE c.status = 'open' AND NOT c.hidden AND EXISTS (SELECT 1 "
        "FROM conversation_people p WHERE p.conversation_id = c.id AND p.user_id = $1 AND p.reason = 'mentioned') "
        f"AND {sees}) AS mentions, "
        "(SELECT count(*) FROM read_marks r JOIN conversations c ON c.id = r.conversation_id WHERE r.user_id = $1 "
        f"AND r.remind_due AND c.status NOT IN ('trash', 'spam') AND NOT c.hidden AND {sees}) AS reminders, "
        "(SELECT count(*) FROM drafts d LEFT JOIN conversations c ON c.id = d.conversation_id "
        f"WHERE d.author_id = $1 AND (d.conversation_id IS NULL OR ({handles}))) AS drafts, "
        "(SELECT count(*) FROM outgoing o JOIN conversations c ON c.id = o.conversation_id "
        f"WHERE o.state IN ('failed', 'unknown', 'held') AND {handles}) AS outbox, "
        f"(SELECT count(*) FROM conversations c WHERE {guest} AND NOT c.hidden AND c.status NOT IN ('trash', 'spam')) "
        "AS shared, "
        "(SELECT count(*) FROM conversations c LEFT JOIN read_marks r ON r.conversation_id = c.id AND r.user_id = $1 "
        "LEFT JOIN watermarks w ON w.mailbox_id = c.mailbox_id AND w.user_id = $1 "
        f"WHERE {guest} AND NOT c.hidden AND c.status NOT IN ('trash', 'spam') AND {UNREAD}) AS shared_unread, "
        "(SELECT count(*) FROM notifications n JOIN conversations c ON c.id = n.conversation_id "
        f"WHERE n.user_id = $1 AND n.read_at IS NULL AND {sees}) AS notifications",
        asker.user_id,
    )
    assert across is not None
    return WorkCounts(
        mine=sum(record["mine"] for record in mailboxes),
        mentions=across["mentions"],
        reminders=across["reminders"],
        drafts=across["drafts"],
        outbox=across["outbox"],
        notifications=across["notifications"],
        shared=across["shared"],
        shared_unread=across["shared_unread"],
        mailboxes=[
            MailboxCounts(
                mailbox_id=record["mailbox_id"],
                open=record["open"],
                unassigned=record["unassigned"],
                mine=record["mine"],
                unread=record["unread"],
                unread_comments=record["unread_comments"],
            )
            for record in mailboxes
        ],
    )
