"""What was done to a mailbox, for those who can open it: who let whom in, and what was set. Read from the audit log."""

from typing import Any, Literal

import msgspec

from backend.database.connection import Row, fetch
from backend.mailboxes.contracts import MailboxDeed

NEWEST = 50
KINDS: dict[str, Literal["created", "changed", "members", "account"]] = {
    "mailbox_created": "created",
    "mailbox_changed": "changed",
    "mailbox_members_set": "members",
    "account_connected": "account",
    "account_reauthorised": "account",
    "account_disconnected": "account",
}


async def read_activity(mailbox_id: int) -> list[MailboxDeed]:
    """The newest deeds first. Who became a member by a change of a team or by an invitation is not among them."""
    records = await fetch(
        "SELECT id, at, actor_id, action, detail FROM audit_entries WHERE subject = $1 AND action = ANY($2) "
        f"ORDER BY id DESC LIMIT {NEWEST}",
        f"mailbox:{mailbox_id}",
        list(KINDS),
    )
    return [_deed(record) for record in records]


def _deed(record: Row) -> MailboxDeed:
    detail: dict[str, Any] = msgspec.json.decode(record["detail"])
    kind = KINDS[record["action"]]
    before, after = detail.get("before", {}), detail.get("after", {})
    if kind == "created":
        after = detail

    def gained(name: str, into: dict[str, Any], out_of: dict[str, Any]) -> list[int]:
        return sorted(set(into.get(name, [])) - set(out_of.get(name, [])))

    return MailboxDeed(
        id=record["id"],
        at=record["at"],
        actor_id=record["actor_id"],
        kind=kind,
        changed=sorted(detail) if kind == "changed" else [],
        added_ids=gained("member_ids", after, before),
        removed_ids=gained("member_ids", before, after),
        added_team_ids=gained("team_ids", after, before),
        removed_team_ids=gained("team_ids", before, after),
    )
