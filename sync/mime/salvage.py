"""Reading the MIME structure of a message that a proper parser refuses. Never raises, and its work is bounded.

Multiparts are cut at their boundary lines with one regular-expression scan per level. Nesting is followed to 50
levels and for at most `BUDGET` scanned bytes over the whole message; what lies deeper is kept as a leaf, so
nothing is lost, only left unopened.
"""

import re
from dataclasses import dataclass, field

from sync.mime.headers import decode_value, lenient_base64, parameters, read_fields, split_head

MAX_DEPTH = 50
BUDGET = 400 * 1024 * 1024
_QP_SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n")
_BOUNDARY_LINE = re.compile(rb"^--([^\s]{1,200})[ \t]*\r?\n(?=[A-Za-z-]{1,60}:|\r?\n)", re.MULTILINE)
_QP_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")


@dataclass(slots=True)
class SalvagedPart:
    content_type: str
    headers: dict[str, str]
    content: bytes = b""
    children: list["SalvagedPart"] = field(default_factory=list)


@dataclass(slots=True)
class _Work:
    parts_left: int
    bytes_left: int = BUDGET
    problems: set[str] = field(default_factory=set)


def salvage(raw: bytes, max_parts: int) -> tuple[SalvagedPart, list[str]]:
    """The part tree of a message, and problem codes."""
    work = _Work(parts_left=max_parts)
    root = _read(raw, 0, "text/plain", work)
    return root, sorted(work.problems)


def _read(data: bytes, depth: int, default_type: str, work: _Work) -> SalvagedPart:
    work.parts_left -= 1
    head, body = split_head(data)
    headers: dict[str, str] = {}
    for item in read_fields(head):
        headers.setdefault(item.name.lower(), decode_value(item.raw))
    declared = headers.get("content-type", "")
    content_type = declared.split(";", 1)[0].strip().lower() or default_type
    part = SalvagedPart(content_type if "/" in content_type else default_type, headers)
    boundary = ""
    if content_type.startswith("multipart/"):
        boundary = parameters(declared).get("boundary", "") or _guess_boundary(body)
    if boundary:
        if depth >= MAX_DEPTH or work.bytes_left < len(body) or work.parts_left <= 0:
            work.problems.add("nested-too-deep" if depth >= MAX_DEPTH else "too-many-parts")
            part.content_type, part.content = "message/rfc822", data
            return part
        work.bytes_left -= len(body)
        inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        pieces = _cut(body, boundary)
        for index, piece in enumerate(pieces):
            if work.parts_left <= 0:
                work.problems.add("too-many-parts")
                rest = b"".join(pieces[index:])
                part.children.append(SalvagedPart("application/octet-stream", {}, rest))
                break
            part.children.append(_read(piece, depth + 1, inner, work))
        if part.children:
            return part
        part.content_type = "text/plain"
    part.content = _decoded(body, headers.get("content-transfer-encoding", "").lower(), work)
    return part


def _guess_boundary(body: bytes) -> str:
    match = _BOUNDARY_LINE.search(body, 0, 65536)
    return match[1].decode("utf-8", "replace") if match else ""


def _cut(body: bytes, boundary: str) -> list[bytes]:
    """The pieces between boundary lines. A missing closing line is forgiven; what follows one is dropped."""
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    pieces: list[bytes] = []
    start: int | None = None
    for match in line.finditer(body):
        if start is not None:
            pieces.append(body[start : match.start()])
        start = None
        if match[1]:
            break
        start = match.end() + (2 if body.startswith(b"\r\n", match.end()) else 1)
    if start is not None and body[start:].strip():
        pieces.append(body[start:])
    return pieces


def _decoded(body: bytes, encoding: str, work: _Work) -> bytes:
    if "base64" in encoding:
        compact = re.sub(rb"\s+", b"", body)
        if len(compact) % 4 or re.search(rb"[^A-Za-z0-9+/=]|=[^=]", compact):
            work.problems.add("base64-broken")
        return lenient_base64(body)
    if "quoted" in encoding:
        body = _QP_SOFT_BREAK.sub(b"", body)
        return _QP_HEX.sub(lambda match: bytes((int(match[1], 16),)), body)
    return body
