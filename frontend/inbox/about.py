"""What is told of a mailbox to those who can open it: who else does, and who changed that. Pure."""

from __future__ import annotations

from typing import TypedDict

from backend.mailboxes.contracts import Mailbox, MailboxDeed
from frontend.faces import NOBODY, Face, first_name, person_face
from frontend.view import View

SETTINGS = {
    "name": "its name",
    "address": "its address",
    "colour": "its colour",
    "default_from_name": "the From name",
    "reply_bcc": "who gets copies of replies",
    "private_by_default": "whether new mail is private",
    "send_as": "who stands as the sender",
    "in_turn": "how new conversations are given out",
    "in_turn_ids": "who is given new conversations",
}
"""Settings in the words of a sentence that ends "changed ..."."""


class DeedView(TypedDict):
    """`text` is a sentence without its time."""

    id: int
    face: Face
    text: str
    at: str


class AboutView(TypedDict):
    """`copy_to` is empty where replies are copied to nobody."""

    name: str
    address: str
    copy_to: str
    readers: list[Face]
    deeds: list[DeedView]


NO_MAILBOX = AboutView(name="", address="", copy_to="", readers=[], deeds=[])


def paint_about(view: View, mailbox: Mailbox, deeds: list[MailboxDeed]) -> AboutView:
    readers = [view.people[i] for i in mailbox.reader_ids if i in view.people]
    return AboutView(
        name=mailbox.name,
        address=mailbox.address,
        copy_to=mailbox.reply_bcc,
        readers=[person_face(each) for each in sorted(readers, key=lambda each: each.name.casefold())],
        deeds=[
            DeedView(
                id=each.id,
                face=person_face(view.people.get(each.actor_id or 0)) if each.actor_id else NOBODY,
                text=deed_words(view, each),
                at=each.at.isoformat(),
            )
            for each in deeds
        ],
    )


def deed_words(view: View, deed: MailboxDeed) -> str:
    """One deed as a sentence."""
    actor = view.people.get(deed.actor_id or 0)
    who = "You" if actor and actor.id == view.me.person.id else first_name(actor.name) if actor else "Somebody"
    match deed.kind:
        case "created":
            return f"{who} made this mailbox"
        case "account":
            return f"{who} changed its mail account"
        case "changed":
            changed = [SETTINGS.get(name, name.replace("_", " ")) for name in deed.changed]
            return f"{who} changed {_listed(changed)}"
        case "members":
            parts = []
            if added := _named(view, deed, deed.added_ids, deed.added_team_ids):
                parts.append(f"gave access to {added}")
            if removed := _named(view, deed, deed.removed_ids, deed.removed_team_ids):
                parts.append(f"took access from {removed}")
            return f"{who} {' and '.join(parts) or 'looked through who has access'}"


def _named(view: View, deed: MailboxDeed, user_ids: list[int], team_ids: list[int]) -> str:
    def name(user_id: int) -> str:
        if user_id == deed.actor_id:
            return "yourself" if user_id == view.me.person.id else "themselves"
        if user_id == view.me.person.id:
            return "you"
        person = view.people.get(user_id)
        return person.name if person else "somebody"

    teams = [f"the team {view.teams[i].name}" if i in view.teams else "a team" for i in team_ids]
    return _listed([*map(name, user_ids), *teams])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
