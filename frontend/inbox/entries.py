"""One piece of the flow in a conversation: a mail, a comment, a line of activity, and what else stands there."""

from __future__ import annotations

from typing import Literal, TypedDict

from frontend.faces import NOBODY, Face
from frontend.inbox.came import CameView
from frontend.inbox.meetings import NO_MEETING, MeetingView
from frontend.inbox.rows import Tag

TEXT_SHOWN = 20_000
"""Characters of one body that stand in the page at first; the rest comes when asked for."""

EntryKind = Literal["message", "comment", "activity", "outgoing", "writing", "fresh", "shared", "meeting"]


class FileView(TypedDict):
    """`picture`: where it is served to be shown small; empty for what is no picture. `id`: of a comment's file."""

    id: int
    name: str
    size: str
    url: str
    picture: str


class ReactionView(TypedDict):
    emoji: str
    count: int
    names: str
    mine: bool


class EntryView(TypedDict):
    """One piece of the flow. `kind` says which of the fields mean something."""

    key: str
    kind: EntryKind
    id: int
    at: str
    face: Face
    who: str
    address: str
    to_whom: str
    open: bool
    outgoing: bool
    snippet: str
    text: str
    html: str
    cut: bool
    quoted: str
    quoted_open: bool
    frame: str
    blocked: int
    images: bool
    files: list[FileView]
    problems: str
    raw: str
    mine: bool
    edited_at: str
    deleted: bool
    reactions: list[ReactionView]
    tag: Tag
    reason: str
    remedy: str
    server_words: str
    refused: list[str]
    choices: list[str]
    subject: str
    leaves_at: str
    came: list[CameView]
    author: int
    meeting: MeetingView


def entry_of(key: str, kind: EntryKind) -> EntryView:
    return EntryView(
        key=key, kind=kind, id=0, at="", face=NOBODY, who="", address="", to_whom="", open=True, outgoing=False,
        snippet="", text="", html="", cut=False, quoted="", quoted_open=False, frame="", blocked=0, images=False,
        files=[], problems="", raw="", mine=False, edited_at="", deleted=False, reactions=[],
        tag=Tag(text="", tone=""), reason="", remedy="", server_words="",
        refused=[], choices=[], subject="", leaves_at="", came=[], author=0, meeting=NO_MEETING,
    )  # fmt: skip
