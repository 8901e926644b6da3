"""The MIME tree of a message (RFC 2045, 2046), as one small type whoever read it.

`fast-mail-parser` reads nearly all mail. What it refuses (corrupt base64, nesting deeper than 256, more than
100 MiB) is read by `salvage`, which refuses nothing and bounds its work. The standard library's parser is not the
fallback: it recurses per level and tests every line against every open boundary.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fast_mail_parser import ParseError, PyMimePart, parse_email_tree

from sync.mime.headers import decode_words, parameters, split_head
from sync.mime.salvage import SalvagedPart, salvage

MAX_PARTS = 2000
MAX_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Part:
    """One node: a container with `children`, or a leaf with its transfer-decoded `content`.

    `content_type` is in lower case without parameters; `filename` and `content_id` are empty when absent.
    """

    content_type: str
    parameters: Mapping[str, str]
    disposition: str
    filename: str
    content_id: str
    content_location: str
    content: bytes
    children: tuple["Part", ...]


class _EmptyContainer(Exception):
    """A multipart in which no part was found: its boundary is missing or wrong, its text would be lost."""


class _TooManyWords(Exception):
    """The fast parser takes quadratic time over what might be encoded words: 11 seconds for 600 KB of "=?"."""


def read_parts(raw: bytes) -> tuple[Part, list[str]]:
    """The tree of a message, and problem codes. At most `MAX_PARTS` nodes; never raises."""
    problems: list[str] = []
    budget = [MAX_PARTS]
    try:
        if raw.count(b"=?") > MAX_WORDS:
            raise _TooManyWords
        part = _from_fast(parse_email_tree(raw), budget)
    except (ParseError, _EmptyContainer, _TooManyWords) as error:
        problems.append(f"salvaged-{type(error).__name__.strip('_')}")
        root, found = salvage(raw, MAX_PARTS)
        budget = [MAX_PARTS]
        part, problems = _from_salvage(root, budget), problems + found
        body = split_head(raw)[1]
        if body.strip() and not _has_content(part):  # its structure hides everything: show it as it stands
            part = _part("text/plain", {}, body, [])
            problems.append("structure-unreadable")
    if budget[0] <= 0:
        problems.append("too-many-parts")
    return part, problems


def _has_content(part: Part) -> bool:
    return bool(part.content.strip()) or any(_has_content(child) for child in part.children)


def _from_fast(node: PyMimePart, budget: list[int]) -> Part:
    budget[0] -= 1
    headers = {name.lower(): values[0] for name, values in node.headers.items() if values}
    content_type = node.content_type.lower()
    container = content_type.startswith("multipart/") and node.content is None
    children: list[Part] = []
    if container:
        if not node.children:
            raise _EmptyContainer
        for child in node.children:
            if budget[0] <= 0:
                break
            children.append(_from_fast(child, budget))
    return _part(content_type, headers, b"" if container else (node.content or b""), children)


def _from_salvage(node: SalvagedPart, budget: list[int]) -> Part:
    budget[0] -= 1
    children = [_from_salvage(child, budget) for child in node.children]
    return _part(node.content_type, node.headers, node.content, children)


def _part(content_type: str, headers: dict[str, str], content: bytes, children: list[Part]) -> Part:
    disposition = headers.get("content-disposition", "")
    type_parameters = parameters(_with_semicolon(headers.get("content-type", "")))
    name = parameters(_with_semicolon(disposition)).get("filename") or type_parameters.get("name", "")
    return Part(
        content_type=content_type or "text/plain",
        parameters=type_parameters,
        disposition=disposition.split(";", 1)[0].strip().lower(),
        filename=name,
        content_id=decode_words(headers.get("content-id", "")).strip().strip("<>").strip(),
        content_location=headers.get("content-location", "").strip(),
        content=content,
        children=tuple(children),
    )


def _with_semicolon(value: str) -> str:
    """Parameters start after the first semicolon; some senders forget it ("attachment filename=a.pdf")."""
    if ";" in value or "=" not in value:
        return value
    head, _, rest = value.partition(" ")
    return f"{head};{rest}"
