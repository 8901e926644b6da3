"""What of a conversation stands unfolded."""

from __future__ import annotations

import msgspec

from backend.conversations.contracts import ConversationDetail
from frontend.view import View


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What stands unfolded in a pane. Ids of messages.

    `itself` and `known` are fixed when the conversation comes into the page, so that a mail arriving while somebody
    reads folds nothing away; what is not `known` arrived since, and stands open.
    """

    itself: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()
    toggled: frozenset[int] = frozenset()
    quotes: frozenset[int] = frozenset()
    images: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()
    everything: bool = False
    comments_read: int = 0
    """Comments above this id were new when the conversation was opened."""


def first_opened(view: View, detail: ConversationDetail) -> Opened:
    """What stands open when a conversation comes into the page: its newest message, and what is unread."""
    messages = sorted(detail.messages, key=lambda each: (each.date, each.id))
    itself = {messages[-1].id} if messages else set[int]()
    read = detail.mark.read_up_to
    itself |= {each.id for each in messages if each.arrival > read > 0}
    return Opened(
        itself=frozenset(itself),
        known=frozenset(each.id for each in messages),
        comments_read=view.comments_read(detail.row),
    )


def stands_open(detail: ConversationDetail, opened: Opened) -> set[int]:
    """The messages that are unfolded."""
    fresh = {each.id for each in detail.messages} - opened.known
    return (fresh | opened.itself) ^ opened.toggled
