"""Address lists as they stand in headers (RFC 5322 section 3.4), and as they really are.

One pass over the text with a regular expression for tokens: linear in its length, so that a header of 10,000
addresses costs milliseconds and a hostile one no more. Encoded words are decoded *after* the list has been taken
apart, because a decoded name may hold a comma.
"""

import re

from sync.mime.characters import clean_line
from sync.mime.headers import decode_words
from sync.mime.message import Address

MAX_ADDRESSES = 20_000
_QUOTED = r'(?P<quoted>"(?:[^"\\]|\\.)*(?:"|\\?\Z))'
_TOKENS = rf"""
    {_QUOTED}
  | (?P<angle><[^<>]*>?)
  | (?P<word>=\?[^?\s]{{1,60}}\?[bBqQ]\?[^?]*\?=)
  | (?P<comment>\()
  | (?P<separator>[,;])
  | (?P<colon>:)
  | (?P<space>\s+)
  | (?P<text>(?:(?!=\?)[^\s"<>(),;:])+|.)
    """
_TOKEN = re.compile(_TOKENS, re.VERBOSE | re.DOTALL)
# After a quote that never closes, quotes are ordinary characters: its entry must not swallow the rest.
_TOKEN_WITHOUT_QUOTES = re.compile(_TOKENS.replace(_QUOTED, "(?P<quoted>(?!))"), re.VERBOSE | re.DOTALL)
# One mailbox in the simplest form, as most headers have it: a name of plain words, and a plain address in brackets.
_SIMPLE = re.compile(
    r"[ ]*(?:(?P<name>[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*)[ ]+)?"
    r"<(?P<address>[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9])?@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)>[ ]*\Z"
)
_SIMPLE_LENGTH = 200
_COMMENT_PART = re.compile(r"\\.|[()]", re.DOTALL)
_ADDRESS = re.compile(r"(?:[^\s@<>\",;:()\\]+|\"[^\"]{1,64}\")@[^\s@<>,;]+\Z")
_COMMENT = re.compile(r"\([^()]*\)")
_LOOSE_DOT = re.compile(r"\s\.|\.\s")
_ROUTE = re.compile(r"(?:@[^@:,]+,?)+:")


def parse_address_list(value: str) -> list[Address]:
    """The addresses of a header value that is unfolded but not yet decoded.

    Groups are flattened, comments become the name when there is no other, and what has no address at all is
    returned with an empty `address`. At most `MAX_ADDRESSES` are read.
    """
    if len(value) <= _SIMPLE_LENGTH and (simple := _SIMPLE.match(value)):
        return [Address(simple["name"] or "", simple["address"])]
    found: list[Address] = []
    entry = _Entry()
    position, length, token = 0, len(value), _TOKEN
    while position < length and len(found) < MAX_ADDRESSES:
        match = token.match(value, position)
        if match is None:
            break
        if match.lastgroup == "quoted" and (len(match[0]) == 1 or not match[0].endswith('"')):
            token = _TOKEN_WITHOUT_QUOTES
            continue
        kind, text, position = match.lastgroup, match[0], match.end()
        if kind == "comment":
            text, position = _read_comment(value, position)
            entry.comments.append(text)
        elif kind == "separator":
            entry.finish(found)
            entry = _Entry()
        elif kind == "colon" and entry.is_group_name():
            entry = _Entry()
        elif kind == "angle":
            if entry.angle is not None:  # "<a@x.example> <b@x.example>": the comma was forgotten
                entry.finish(found)
                entry = _Entry()
            entry.angle = text.strip("<>")
        else:
            entry.pieces.append((kind or "text", text))
    entry.finish(found)
    return found


class _Entry:
    """The tokens between two commas."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []
        self.comments: list[str] = []
        self.angle: str | None = None

    def is_group_name(self) -> bool:
        return self.angle is None and not any("@" in text for kind, text in self.pieces if kind == "text")

    def finish(self, found: list[Address]) -> None:
        name = clean_line(decode_words("".join(_shown(kind, text) for kind, text in self.pieces)))
        if self.angle is not None:
            inner = _without_route(clean_line(decode_words(_COMMENT.sub("", self.angle))).replace(" ", ""))
            if inner.lower().startswith("mailto:"):
                inner = inner[7:]
            if not _ADDRESS.match(inner) and _ADDRESS.match(name):
                inner, name = name, ""  # "a@x.example <>" and "a@x.example <Ana>"
            self._add(found, name or self._comment(), inner)
            return
        compact = "".join(text for kind, text in self.pieces if kind != "space")
        joined = clean_line(decode_words(compact))
        if "@" in joined:
            bare = [text for kind, text in self.pieces if kind == "text" and "@" in text]
            words = [text for kind, text in self.pieces if kind != "space"]
            if len(bare) > 1 and len(bare) == len(words) and all(map(_ADDRESS.match, bare)):
                for address in bare:  # the commas were forgotten
                    self._add(found, "", address)
            elif _ADDRESS.match(joined) and (
                len(bare) != 1 or not _ADDRESS.match(bare[0]) or _LOOSE_DOT.search(self._words())
            ):
                self._add(found, self._comment(), joined)
            elif bare:
                address = clean_line(decode_words(bare[0]))
                rest = clean_line(decode_words("".join(_shown(k, t) for k, t in self.pieces if t != bare[0])))
                self._add(found, rest or self._comment(), address)
            else:
                self._add(found, name, "")
        elif name or self.comments:
            self._add(found, name or self._comment(), "")

    def _words(self) -> str:
        return "".join(text for _, text in self.pieces).strip()

    def _comment(self) -> str:
        return clean_line(decode_words(" ".join(self.comments)))

    @staticmethod
    def _add(found: list[Address], name: str, address: str) -> None:
        address = address.strip(" '\".,;") if not address.startswith('"') else address
        if not _ADDRESS.match(address):
            address, name = "", name or address
        if name.lower() == address.lower() or name.strip("'") == address:
            name = ""
        if len(name) > 1 and name[0] == name[-1] == "'":
            name = name[1:-1]
        if name or address:
            found.append(Address(name[:500], address if len(address) <= 998 else ""))


def _shown(kind: str, text: str) -> str:
    if kind == "quoted":
        body = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
        return re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL)
    return " " if kind == "space" else text


def _without_route(text: str) -> str:
    """Drop the source route of RFC 822: `<@relay.example:ana@example.org>`."""
    match = _ROUTE.match(text)
    return text[match.end() :] if match else text


def _read_comment(value: str, position: int) -> tuple[str, int]:
    """Read a comment, which nests, from just after its opening parenthesis: the text and where it ends."""
    depth, start = 1, position
    for match in _COMMENT_PART.finditer(value, position):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                return value[start : match.start()], match.end()
    return value[start:], len(value)
