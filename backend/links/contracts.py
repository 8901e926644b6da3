"""Saved links as they cross the wire."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract

LinkKind = Literal["appointment", "survey", "landing_page", "deal_room", "conference"]


class SavedLink(Contract):
    """`url` may hold merge fields, which are those in `fields`. `uses` counts how often it went into a mail."""

    id: int
    kind: LinkKind
    name: str
    url: str
    fields: list[str]
    uses: int
    version: int
    updated_at: datetime


class SaveLink(Contract):
    """`version` is the one that was changed; a stale one is refused."""

    kind: LinkKind
    name: str
    url: str
    version: int = 0


class FilledLink(Contract):
    """A link for one recipient. While one of its fields is empty it leads nowhere: then `url`, `text` and `html` are
    empty, and `missing` names the fields."""

    name: str
    url: str
    missing: list[str]
    text: str
    html: str
