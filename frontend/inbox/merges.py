"""What of a conversation can be merged, taken back and split off. Pure, over the view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from backend.conversations.contracts import Activity, ConversationDetail, ConversationRow
from frontend.inbox.rows import senders
from frontend.view import View

OFFERED = 8
"""Conversations that the menu shows."""


class MergeableView(TypedDict):
    """A conversation that another one could be merged with."""

    id: int
    subject: str
    who: str
    at: str


def revocable(activities: Iterable[Activity]) -> list[int]:
    """The lines that tell of a merge by a person which was not taken back, the last one last; a move ends that."""
    lines = list(activities)
    moved = max((n for n, each in enumerate(lines, 1) if each.kind == "moved"), default=0)
    taken_back = {each.value for each in lines if each.kind == "unjoined"}
    return [
        each.id
        for each in lines[moved:]
        if each.kind == "joined" and each.actor_id is not None and str(each.id) not in taken_back
    ]


def last_merge(detail: ConversationDetail) -> int:
    """The line of the last merge that can be taken back, 0 for none."""
    return max(revocable(detail.activities), default=0)


def split_choices(detail: ConversationDetail) -> dict[int, list[str]]:
    """Of each mail that is not alone: that it can be split off, and whether it is the `first` or the `last`."""
    ids = [each.id for each in sorted(detail.messages, key=lambda each: (each.date, each.id))]
    if len(ids) < 2:
        return {}
    ends = {ids[0]: ["first"], ids[-1]: ["last"]}
    return {each: ["split", *ends.get(each, [])] for each in ids}


def likely(view: View, detail: ConversationDetail | None, row: ConversationRow) -> list[ConversationRow]:
    """What is offered before anybody searches: of the same correspondent, then what came last in the mailbox."""
    near = {each.id for each in detail.earlier} if detail else set[int]()
    addresses = {each.address.lower() for each in row.correspondents}
    others = [each for each in view.rows.values() if each.mailbox_id == row.mailbox_id and each.id != row.id]

    def related(each: ConversationRow) -> bool:
        return each.id in near or bool(addresses & {person.address.lower() for person in each.correspondents})

    return sorted(others, key=lambda each: (not related(each), -each.last_at.timestamp(), each.id))[:OFFERED]


def paint_mergeable(rows: Iterable[ConversationRow]) -> list[MergeableView]:
    return [
        MergeableView(
            id=each.id,
            subject=each.subject.strip() or "(no subject)",
            who=senders(each),
            at=each.last_at.isoformat(),
        )
        for each in rows
    ]
