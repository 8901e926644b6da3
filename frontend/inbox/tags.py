"""Tags as the interface shows them: on conversations, and to choose from. Pure, over the view."""

from __future__ import annotations

from typing import TypedDict

from backend.conversations.contracts import ConversationRow
from frontend.view import View

SHOWN_ON_A_ROW = 1


class LabelView(TypedDict):
    """A tag; its colour by number."""

    id: int
    name: str
    colour: int


def paint_tags(view: View) -> list[LabelView]:
    """All tags, by name."""
    ordered = sorted(view.tags.values(), key=lambda each: each.name.casefold())
    return [LabelView(id=each.id, name=each.name, colour=each.colour) for each in ordered]


def labels_of(view: View, row: ConversationRow) -> list[LabelView]:
    """The tags of a conversation, by name; a number that is no tag any more is passed over."""
    found = sorted((view.tags[i] for i in row.tag_ids if i in view.tags), key=lambda each: each.name.casefold())
    return [LabelView(id=each.id, name=each.name, colour=each.colour) for each in found]


def labels_on_row(view: View, row: ConversationRow) -> tuple[list[LabelView], str]:
    """The first ones, and how many more there are."""
    found = labels_of(view, row)
    more = len(found) - SHOWN_ON_A_ROW
    return found[:SHOWN_ON_A_ROW], f"+{more}" if more > 0 else ""
