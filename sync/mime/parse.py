"""Raw bytes of a message to a `ParsedMessage`. Never raises, in bounded time and memory.

raw -> header block  (headers, addresses, identifiers: read by us, from the bytes)
    -> MIME tree     (parts: fast parser, else salvage)
    -> bodies and attachments (JMAP's rules) -> decoded text and HTML -> snippet, digest
"""

from dataclasses import dataclass
from datetime import datetime

from sync.mime.addresses import parse_address_list
from sync.mime.attachments import make_attachments
from sync.mime.bodies import choose_bodies
from sync.mime.characters import clean_text, decode
from sync.mime.digest import content_digest, leaves
from sync.mime.headers import MAX_VALUE, Field, decode_bytes, decode_field, read_fields, split_head
from sync.mime.html_text import html_from_text
from sync.mime.identifiers import read_date, read_identifiers, read_message_id, read_received_date
from sync.mime.message import Address, ParsedMessage
from sync.mime.parts import Part, read_parts
from sync.mime.plaintext import text_from_html, unflow
from sync.mime.quotes import split_quoted_text

MAX_RAW = 100 * 1024 * 1024
"""Bytes: of a longer message the headers are read and the beginning of the body is ignored."""
_MAX_DERIVED_PARTS = 20
_EMPTY_PART = Part("text/plain", {}, "", "", "", "", b"", ())


def parse_message(raw: bytes) -> ParsedMessage:
    """Read a message as well as it can be read. What had to be repaired stands in `problems`."""
    try:
        return _parse(_tidied(raw))
    except Exception as error:
        # The last line of defence for mail nobody has thought of: the raw message is kept elsewhere, and a
        # mailbox must not stop at it. Tests assert that the corpus never gets here.
        return _unreadable(raw, type(error).__name__)


def _tidied(raw: bytes) -> bytes:
    """Without what stands before the first header: mbox line, byte order mark, blank lines. CR-only becomes LF."""
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if raw.startswith((b"From ", b">From ")):
        raw = raw[raw.find(b"\n") + 1 :] if b"\n" in raw[:1000] else raw
    if b"\n" not in raw[:4000] and b"\r" in raw[:4000]:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw


def _parse(raw: bytes) -> ParsedMessage:
    problems: list[str] = []
    fields = read_fields(split_head(raw)[0])
    if not fields:
        problems.append("no-headers")
    if len(raw) > MAX_RAW:
        root = _EMPTY_PART
        problems.append("too-large")
    else:
        root, found = read_parts(raw)
        problems += found
    charset = next((part.parameters["charset"] for part in leaves(root) if "charset" in part.parameters), None)
    heads = _Heads(fields, charset, problems)
    body = _read_body(root, problems)
    message_id = heads.first("message-id")
    return ParsedMessage(
        message_id=read_message_id(message_id),
        in_reply_to=read_identifiers(heads.first("in-reply-to")),
        references=read_identifiers(" ".join(heads.all("references"))),
        date=_date(heads, problems),
        subject=heads.first("subject")[:2000],
        from_=heads.person("from"),
        sender=heads.person("sender"),
        reply_to=heads.people("reply-to"),
        to=heads.people("to"),
        cc=heads.people("cc"),
        bcc=heads.people("bcc"),
        fields=tuple(fields),
        charset=charset,
        text=body.text,
        text_derived=body.derived,
        html=body.html,
        attachments=make_attachments(body.attachments, body.html),
        auto_submitted=_is_automatic(heads, root),
        list_id=heads.first("list-id")[:1000],
        list_unsubscribe=_links(heads.first("list-unsubscribe")),
        snippet=make_snippet(body.text or ""),
        problems=tuple(dict.fromkeys(problems)),
        digest=content_digest(heads.very_first, root),
    )


class _Heads:
    """The header fields of one message, by name, decoded when they are asked for."""

    def __init__(self, fields: list[Field], charset: str | None, problems: list[str]) -> None:
        self._charset = charset
        self._by_name: dict[str, list[Field]] = {}
        self._decoded: dict[str, list[str]] = {}
        for item in fields:
            self._by_name.setdefault(item.name.lower(), []).append(item)
            if len(item.raw) > MAX_VALUE:
                problems.append("header-cut")

    def all(self, name: str) -> list[str]:
        decoded = self._decoded.get(name)
        if decoded is None:
            decoded = [decode_field(field, self._charset) for field in self._by_name.get(name, ())]
            self._decoded[name] = decoded
        return decoded

    def first(self, name: str) -> str:
        for value in self.all(name):
            if value:
                return value
        return ""

    def very_first(self, name: str) -> str:
        """The first of its values even if that is empty."""
        found = self.all(name)
        return found[0] if found else ""

    def _undecoded(self, name: str) -> list[str]:
        return [decode_bytes(field.raw, self._charset) for field in self._by_name.get(name, ())]

    def people(self, name: str) -> tuple[Address, ...]:
        """The reachable addresses of a field, each once, over all its occurrences."""
        unique: dict[str, Address] = {}
        for value in self._undecoded(name):
            for item in parse_address_list(value):
                known = unique.get(item.address.lower())
                if item.address and (known is None or (item.name and not known.name)):
                    unique[item.address.lower()] = item
        return tuple(unique.values())

    def person(self, name: str) -> Address | None:
        """The first address of a field; failing that, somebody without one."""
        found = [address for value in self._undecoded(name) for address in parse_address_list(value)]
        return next((item for item in found if item.address), found[0] if found else None)


@dataclass(slots=True)
class _Body:
    text: str | None
    derived: bool
    html: str | None
    attachments: list[Part]


def _read_body(root: Part, problems: list[str]) -> _Body:
    bodies = choose_bodies(root)
    decoded = {id(part): _decode_part(part, problems) for part in (*bodies.text, *bodies.html)}
    html: str | None = None
    if any(part.content_type == "text/html" for part in bodies.html):
        html = "\n".join(
            decoded[id(part)] if part.content_type == "text/html" else html_from_text(decoded[id(part)])
            for part in bodies.html
        )
    texts: list[str] = []
    derivations = 0
    for part in bodies.text:
        if part.content_type != "text/html":
            texts.append(decoded[id(part)])
        elif derivations < _MAX_DERIVED_PARTS:
            derivations += 1
            texts.append(text_from_html(decoded[id(part)]))
    text = "\n".join(texts) if texts else None
    derived = bool(bodies.text) and all(part.content_type == "text/html" for part in bodies.text)
    if not (text or "").strip() and html:  # an empty plain alternative
        text, derived = text_from_html(html), True
    return _Body(text, derived, html, bodies.attachments)


def _decode_part(part: Part, problems: list[str]) -> str:
    is_html = part.content_type == "text/html"
    text, problem = decode(part.content, part.parameters.get("charset"), html=is_html)
    if problem:
        problems.append(problem)
    text = clean_text(text)
    if not is_html and part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    return text


def _date(heads: _Heads, problems: list[str]) -> datetime | None:
    value = heads.first("date")
    moment = read_date(value)
    if moment is None:
        problems.append("date-unreadable" if value else "date-missing")
        moment = read_received_date(heads.all("received"))
    return moment


def _is_automatic(heads: _Heads, root: Part) -> bool:
    declared = heads.first("auto-submitted").split(";", 1)[0].strip().lower()
    return (
        (bool(declared) and declared != "no")
        or heads.first("precedence").lower() in ("auto_reply", "bulk", "junk")
        or bool(heads.first("x-autoreply") or heads.first("x-autorespond"))
        or heads.first("return-path").replace(" ", "") == "<>"
        or root.content_type == "multipart/report"
    )


def _links(value: str) -> tuple[str, ...]:
    """The links of a List-Unsubscribe header (RFC 2369) that a person could follow."""
    found = (piece.strip().strip("<>").strip() for piece in value.split(",")[:10])
    return tuple(link for link in found if link.lower().startswith(("https://", "http://", "mailto:")))


def make_snippet(text: str, limit: int = 200) -> str:
    """The first words of what was newly written, on one line; of the quotation when there is nothing else."""
    visible, quoted = split_quoted_text(text[:6_000], enough=limit)
    # A word and the blank behind it are two characters at least: no more words than these are needed.
    words = " ".join((visible if visible.strip() else quoted)[:4000].split(None, limit // 2 + 1)[: limit // 2 + 1])
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def _unreadable(raw: bytes, reason: str) -> ParsedMessage:
    return ParsedMessage(
        message_id=None, in_reply_to=(), references=(), date=None, subject="", from_=None, sender=None, reply_to=(),
        to=(), cc=(), bcc=(), fields=(), charset=None, text=None, text_derived=False, html=None, attachments=(),
        auto_submitted=False, list_id="", list_unsubscribe=(), snippet="", problems=(f"unreadable-{reason}",),
        digest=content_digest(lambda name: "", Part("application/octet-stream", {}, "", "", "", "", raw, ())),
    )  # fmt: skip
