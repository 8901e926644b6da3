"""The columns of a conversation that a list reads, from its messages: what `backend.conversations.threads.sum_up` does
in the database, for conversations that begin with a batch and whose messages are all at hand. Pure.

A test compares the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from backend.mail.reading import Prepared

MOST_CORRESPONDENTS = 50
MOST_RECEIVERS = 5


@dataclass(frozen=True, slots=True)
class Member:
    """A message of a new conversation; `number` is its id."""

    number: int
    prepared: Prepared
    date: datetime
    outgoing: bool
    arrival: int


SUMMARY_COLUMNS = (
    *("subject", "message_count", "last_at", "last_direction", "snippet", "last_arrival", "has_attachments"),
    *("addressed", "correspondents"),
)


def summary(members: Sequence[Member]) -> tuple[object, ...]:
    """Values for SUMMARY_COLUMNS. `members` is not empty, in any order."""
    by_date = sorted(members, key=lambda member: (member.date, member.number))
    newest = by_date[-1]
    return (
        by_date[0].prepared.subject,
        len(by_date),
        newest.date,
        "outgoing" if newest.outgoing else "incoming",
        newest.prepared.snippet,
        max(member.arrival for member in by_date),
        any(member.prepared.attachments != "[]" for member in by_date),
        sorted({address for member in by_date for address in member.prepared.addressed}),
        _correspondents(by_date),
    )


def _correspondents(by_date: Sequence[Member]) -> str:
    """Who wrote to us, who wrote last first; to whom we wrote, when nobody did. JSON."""
    latest: dict[str, Member] = {}
    for member in by_date:
        if not member.outgoing and member.prepared.sender is not None:
            latest[member.prepared.sender_address] = member
    if latest:
        some = sorted(latest)[:MOST_CORRESPONDENTS]
        some.sort(key=lambda address: latest[address].date, reverse=True)  # those of one moment stay in their order
        return f"[{','.join(latest[address].prepared.sender or '' for address in some)}]"
    receivers = msgspec.json.decode(by_date[-1].prepared.recipients)["to"][:MOST_RECEIVERS]
    return msgspec.json.encode(receivers).decode()
