"""Reading IMAP responses: bytes as they come from the socket, whole responses out (RFC 9051 section 7).

aioimaplib's own reader loses and changes data (a FETCH of many short lines overflows its recursion, `* `
inside a line is removed, an unbalanced bracket glues lines together), so the connection reads with this one.
It is linear in the size of the data, keeps literals apart from text, and knows no meaning beyond that.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes; a SEARCH over a million messages answers in one line of 8 MB."""
LARGEST_LITERAL = 512 * 1024 * 1024
"""Bytes; no mail provider takes messages of this size."""
LITERAL_IN_MEMORY = 8 * 1024 * 1024
"""Bytes; a longer literal waits in a temporary file, so that it is never in memory more than once."""

_LITERAL_FOLLOWS = re.compile(rb"~?\{(\d{1,12})\+?\}\Z")
_STATUS_LINE = re.compile(rb"\S+ (?:OK|NO|BAD|BYE|PREAUTH)(?: |\Z)", re.IGNORECASE)
_TOKEN = re.compile(rb'[ ]*(?:([()])|"((?:[^"\\]|\\.)*)"|((?:[^ ()"\[]|\[[^\]\[]*\]|\[)+))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)

Value = bytes | None | list["Value"]
"""An atom, string or literal; NIL; a parenthesised list."""


class Unreadable(ValueError):
    """What the server sent is not IMAP."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response: its text pieces, and the literals that stood between them."""

    texts: tuple[bytes, ...]
    literals: tuple[bytes, ...] = ()

    @property
    def line(self) -> bytes:
        """The text up to the first literal."""
        return self.texts[0]


class ResponseReader:
    """Feed it bytes; it gives back the responses that are complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._wanted = 0
        self._in_literal = False
        self._waiting: IO[bytes] | None = None
        self._texts: list[bytes] = []
        self._literals: list[bytes] = []

    @property
    def empty(self) -> bool:
        """Whether nothing is waiting to be completed."""
        return not self._buffer and not self._texts

    def take_rest(self) -> bytes:
        """The bytes that were not read yet, which are thereby forgotten: what follows is compressed."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return rest

    def feed(self, data: bytes) -> Iterator[Response]:
        """The responses that `data` completes, in order. Raises Unreadable, after which the reader is
        useless.
        """
        self._buffer += data
        while True:
            if self._in_literal:
                literal = self._literal()
                if literal is None:
                    return
                self._literals.append(literal)
                self._in_literal = False
                self._searched = 0
            end = self._buffer.find(b"\r\n", self._searched)
            if end < 0:
                if len(self._buffer) > LONGEST_LINE:
                    raise Unreadable("a line without an end")
                self._searched = max(0, len(self._buffer) - 1)
                return
            line = bytes(memoryview(self._buffer)[:end])
            del self._buffer[: end + 2]
            self._searched = 0
            self._texts.append(line)
            follows = _LITERAL_FOLLOWS.search(line)
            if follows is not None and not (len(self._texts) == 1 and _STATUS_LINE.match(line)):
                self._wanted = int(follows.group(1))
                if self._wanted > LARGEST_LITERAL:
                    raise Unreadable(f"a literal of {self._wanted} bytes")
                self._texts[-1] = line[: follows.start()]
                self._in_literal = True
                self._waiting = TemporaryFile() if self._wanted > LITERAL_IN_MEMORY else None  # noqa: SIM115
                continue
            response = Response(tuple(self._texts), tuple(self._literals))
            self._texts = []
            self._literals = []
            yield response

    def _literal(self) -> bytes | None:
        """The literal that is being read, taken from the buffer once it is complete."""
        if self._waiting is None:
            if len(self._buffer) < self._wanted:
                return None
            literal = bytes(memoryview(self._buffer)[: self._wanted])
            del self._buffer[: self._wanted]
            return literal
        piece = self._buffer[: self._wanted]
        self._waiting.write(piece)
        self._wanted -= len(piece)
        del self._buffer[: len(piece)]
        if self._wanted:
            return None
        with self._waiting as file:
            file.seek(0)
            literal = file.read()
        self._waiting = None
        return literal


def parse_values(response: Response, start: int) -> list[Value]:
    """The values in a response from byte `start` of its first text on. Raises Unreadable."""
    root: list[Value] = []
    stack: list[list[Value]] = [root]
    literals = iter(response.literals)
    for number, text in enumerate(response.texts):
        position = start if number == 0 else 0
        if number > 0:
            stack[-1].append(next(literals))
        text = text.rstrip(b" ")
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise Unreadable(f"not a value: {text[position : position + 40]!r}")
            position = match.end()
            bracket, quoted, atom = match.groups()
            if bracket == b"(":
                inner: list[Value] = []
                stack[-1].append(inner)
                stack.append(inner)
            elif bracket == b")":
                if len(stack) == 1:
                    raise Unreadable("a closing bracket without its opening one")
                stack.pop()
            elif quoted is not None:
                stack[-1].append(_ESCAPED.sub(rb"\1", quoted))
            else:
                stack[-1].append(None if atom.upper() == b"NIL" else atom)
    if len(stack) != 1:
        raise Unreadable("an opening bracket without its closing one")
    return root


def parse_fetch(response: Response) -> tuple[int, dict[str, Value]] | None:
    """The sequence number and the items of `* n FETCH (...)`; None for any other response."""
    match = _FETCH.match(response.line)
    if match is None:
        return None
    values = parse_values(response, match.end())
    if len(values) != 1 or not isinstance(values[0], list):
        raise Unreadable("a FETCH response without its list")
    items = values[0]
    if len(items) % 2:
        raise Unreadable("a FETCH response with a name but no value")
    found: dict[str, Value] = {}
    for name, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(name, bytes):
            raise Unreadable("a FETCH response with a value in the place of a name")
        found[name.decode("ascii", "replace").upper()] = value
    return int(match.group(1)), found


_FETCH = re.compile(rb"\* (\d+) FETCH ", re.IGNORECASE)


def parse_number_set(text: bytes) -> list[int]:
    """`1:3,7` as [1, 2, 3, 7] (RFC 9051 sequence-set without `*`)."""
    numbers: list[int] = []
    for piece in text.split(b","):
        first, _, last = piece.partition(b":")
        low, high = int(first), int(last or first)
        if high < low:
            low, high = high, low
        numbers.extend(range(low, high + 1))
    return numbers


def format_number_set(numbers: Iterable[int]) -> str:
    """[1, 2, 3, 7] as `1:3,7`; sorted and without repetition."""
    pieces: list[str] = []
    ordered = sorted(set(numbers))
    position = 0
    while position < len(ordered):
        end = position
        while end + 1 < len(ordered) and ordered[end + 1] == ordered[end] + 1:
            end += 1
        first, last = ordered[position], ordered[end]
        pieces.append(str(first) if first == last else f"{first}:{last}")
        position = end + 1
    return ",".join(pieces)
