"""What came to a conversation meanwhile, as it is shown beside a mail that it stops. Pure, over the view."""

from __future__ import annotations

from typing import TypedDict

from backend.compose.contracts import Came
from frontend.faces import Face, address_face, person_face, shown_name
from frontend.view import View


class CameView(TypedDict):
    """Who wrote, what it begins with, and (unless 0) where in the conversation it stands."""

    who: str
    face: Face
    at: str
    text: str
    message_id: int


def paint_came(view: View, came: list[Came]) -> list[CameView]:
    """What came, oldest first."""
    return [_paint(view, each) for each in came]


def _paint(view: View, came: Came) -> CameView:
    author = view.people.get(came.author_id or 0)
    if author is not None:
        who, face = author.name, person_face(author)
    else:
        who, face = shown_name(came.sender) if came.sender else "Somebody", address_face(came.sender)
    text = " ".join(came.snippet.split())
    return CameView(who=who, face=face, at=came.at.isoformat(), text=text, message_id=came.message_id or 0)
