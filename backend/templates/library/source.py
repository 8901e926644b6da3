"""Reads a template's file: a head of `key: value`, a line `---`, then the mail in blocks with empty lines between.

    # words          the title; further lines of its block stand below it, smaller
    ^ words          something large, as a date; further lines of its block stand below it, smaller
    ## words         a heading
    - words          a list           1. words   steps
    | label | value  facts            |= label | value   the sum below them      |# a | b | c   a table's heading
    ! words          a panel that stands out
    > words          what somebody said
    ~ a, *b, c       how far something has come: b is now
    => words: https://...             a button
    words            a paragraph; a backslash at a line's end begins a new line

In words, **these** are bold, [these](https://...) a link, and [these] a gap: what only the writer knows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

BlockKind = Literal[
    "title", "figure", "heading", "list", "steps", "facts", "panel", "quote", "progress", "button", "paragraph"
]
Look = Literal["letter", "plain", "card", "band"]
"""A letter looks as if typed; the others have a title: on paper, on a soft ground, on a strong one."""
Tone = Literal["accent", "green", "amber", "red", "ink"]

GAP = re.compile(r"\[([a-z][a-z0-9 '-]*)\](?!\()")
_HEAD = ("name", "folder", "subject", "about", "look", "tone")
_MARKS: tuple[tuple[str, BlockKind], ...] = (
    ("## ", "heading"),
    ("# ", "title"),
    ("^ ", "figure"),
    ("- ", "list"),
    ("1. ", "steps"),
    ("|", "facts"),
    ("! ", "panel"),
    ("> ", "quote"),
    ("~ ", "progress"),
    ("=> ", "button"),
)


class SourceError(ValueError):
    """A file that is no template, and why."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What the writer fills in, as it stands in brackets, and what could stand there."""

    name: str
    example: str


@dataclass(frozen=True, slots=True)
class Block:
    """`lines` without their marks, but for those of facts. A paragraph, a panel and a quotation have one line for each
    that is to be seen."""

    kind: BlockKind
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    key: str
    name: str
    folder: str
    subject: str
    about: str
    look: Look
    tone: Tone
    gaps: tuple[Gap, ...]
    blocks: tuple[Block, ...]


def read_source(path: Path, root: Path) -> Source:
    """Raises SourceError."""
    key = path.relative_to(root).with_suffix("").as_posix()
    head, parted, body = path.read_text("utf-8").partition("\n---\n")
    if not parted:
        raise SourceError(f"{key}: no line --- ends the head")
    values: dict[str, str] = {"look": "letter", "tone": "accent"}
    gaps: list[Gap] = []
    for line in head.split("\n"):
        name, colon, value = line.partition(": ")
        if name == "gap":
            words, _, example = value.partition(" = ")
            gaps.append(Gap(words, example))
        elif name in _HEAD and colon:
            values[name] = value
        else:
            raise SourceError(f"{key}: {line!r} does not belong into the head")
    if missing := [name for name in _HEAD if not values.get(name)]:
        raise SourceError(f"{key}: the head lacks {', '.join(missing)}")
    if values["look"] not in get_args(Look) or values["tone"] not in get_args(Tone):
        raise SourceError(f"{key}: no such look or tone")
    told, used = {gap.name for gap in gaps if gap.example}, set(GAP.findall(values["subject"] + body))
    if told != used:
        raise SourceError(f"{key}: gaps in the head and in the mail differ: {sorted(told ^ used)}")
    return Source(key, **values, gaps=tuple(gaps), blocks=tuple(_blocks(body)))  # pyright: ignore[reportArgumentType]


def _blocks(body: str) -> Iterator[Block]:
    for part in re.split(r"\n\s*\n", body.strip("\n")):
        yield _block(part.split("\n"))


def _block(lines: list[str]) -> Block:
    for mark, kind in _MARKS:
        if not lines[0].startswith(mark):
            continue
        if kind in ("list", "steps"):
            return Block(kind, tuple(_items(lines)))
        if kind in ("panel", "quote"):
            return Block(kind, tuple(_joined([line.removeprefix(mark) for line in lines])))
        if kind == "facts":
            return Block(kind, tuple(lines))
        return Block(kind, (lines[0].removeprefix(mark), *lines[1:]))
    return Block("paragraph", tuple(_joined(lines)))


def _items(lines: list[str]) -> Iterator[str]:
    """A line that begins with a blank goes on with the item before it."""
    words = ""
    for line in lines:
        if line.startswith(" "):
            words += f" {line.strip()}"
            continue
        if words:
            yield words
        words = re.sub(r"^(?:- |\d+\. )", "", line)
    yield words


def _joined(lines: list[str]) -> Iterator[str]:
    words = ""
    for line in lines:
        words = f"{words} {line.strip()}".strip()
        if words.endswith("\\"):
            yield words[:-1].rstrip()
            words = ""
    if words:
        yield words
