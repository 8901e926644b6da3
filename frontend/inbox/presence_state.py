"""Who else is in the conversations on the screen, and where I am."""

from __future__ import annotations

from typing import TypedDict, get_args

import reflex as rx

from backend.events.contracts import Doing
from frontend.faces import first_name, person_face
from frontend.session import Session
from frontend.view import View

DOINGS: tuple[Doing, ...] = get_args(Doing)


class HereView(TypedDict):
    """Somebody in a conversation: a face, and what they do."""

    id: int
    name: str
    first: str
    initials: str
    colour: int
    doing: str


class Presence(Session):
    """A state of its own, so that a colleague who moves on sends no list and no conversation again."""

    here: dict[int, list[HereView]] = {}

    def repaint(self, before: View | None, view: View) -> None:
        """Paint whoever came, left, or does something else now."""
        if before is not None and before.present is view.present and before.people is view.people:
            return
        me = view.me.person.id
        here: dict[int, list[HereView]] = {}
        for conversation_id, present in view.present.items():
            for each in present:
                person = view.people.get(each.user_id)
                if person is None or person.id == me:
                    continue
                face = person_face(person)
                shown = HereView(
                    id=person.id,
                    name=person.name,
                    first=first_name(person.name),
                    initials=face["initials"],
                    colour=face["colour"],
                    doing=each.doing,
                )
                here.setdefault(conversation_id, []).append(shown)
        if here != self.here:
            self.here = here

    @rx.event
    def looking(self, conversation_id: int, doing: str) -> None:
        """The browser says where its person is now; 0 is nowhere."""
        if doing in DOINGS and 0 <= conversation_id < 2**63:
            self.be_at(conversation_id, doing)


Session.painters.append(Presence)
