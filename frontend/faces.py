"""How people, correspondents and mailboxes look in small: initials, a colour, a name."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import TypedDict

from backend.mail.contracts import MailAddress
from backend.people.contracts import Person

COLOURS = 10
"""How many face colours assets/css/tokens.css has."""


class Face(TypedDict):
    """A round face. `colour` is a number for the class `face0` to `face9`; no `initials`, no face. `away`: until when,
    of somebody who is."""

    initials: str
    colour: int
    name: str
    away: str


NOBODY = Face(initials="", colour=0, name="", away="")


def person_face(person: Person | None) -> Face:
    """The face of a colleague; of nobody when there is none."""
    if person is None:
        return NOBODY
    return Face(
        initials=initials(person.name), colour=person.colour % COLOURS, name=person.name, away=away_until(person)
    )


def away_until(person: Person) -> str:
    """When somebody who is away is back, as ISO 8601; empty for who is here."""
    until = person.away_until
    return until.isoformat() if until is not None and until > datetime.now(UTC) else ""


def team_face(name: str) -> Face:
    """A team: its initials on grey."""
    return Face(initials=name[:2].upper(), colour=COLOURS - 1, name=name, away="")


def address_face(address: MailAddress | None) -> Face:
    """The face of a correspondent: the same address has the same colour everywhere."""
    if address is None:
        return Face(initials="?", colour=COLOURS - 1, name="Unknown sender", away="")
    name = shown_name(address)
    colour = zlib.crc32(address.address.lower().encode()) % COLOURS
    return Face(initials=initials(name), colour=colour, name=name, away="")


def shown_name(address: MailAddress) -> str:
    """The name, or else the address itself."""
    return address.name.strip() or address.address


def first_name(name: str) -> str:
    """What colleagues are called in the flow: "Jonas" for Jonas Dahl; an address stays whole."""
    return name if "@" in name else (name.split() or [name])[0]


def initials(name: str) -> str:
    """Two letters for a face: of the first and last word, or of the one there is."""
    words = [word for word in name.replace(".", " ").replace("_", " ").split("@")[0].split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
