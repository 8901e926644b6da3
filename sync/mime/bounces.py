"""Reports about mail that was sent: bounces, warnings of delay, and complaints, read as well as they can be.

Half of the servers of the world write what RFC 3464 says: the fields of `message/delivery-status`. The others write
prose, with the mail that came back below it. There the report ends where headers of another mail begin; the addresses
in it are those that failed, unless they are the two that the report itself travels between; and the first reply of a
server after an address is why.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Literal

from sync.mime.characters import clean_line
from sync.mime.identifiers import read_message_id
from sync.mime.message import ParsedMessage
from sync.smtp_replies import enhanced_status, passes_by_itself

Outcome = Literal["failed", "delayed", "delivered"]
Kind = Literal["bounce", "complaint"]

MOST_TEXT = 60_000
"""Characters of a report that are looked at; what comes later is the mail that came back."""
MOST_RECIPIENTS = 100
MOST_WORDS = 500
WINDOW_LINES = 12
"""A server's reply stands within so many lines after the address that it is about."""


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """What a report says about one address. `status` is an enhanced status code (RFC 3463), or empty.

    `permanent`: the same mail would come back again (a hard bounce); a full mailbox or a silent server may not last.
    """

    address: str
    outcome: Outcome
    permanent: bool
    status: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """A bounce (or a warning of delay, or of delivery), or a complaint (RFC 5965). `message_ids`: of the mail that it
    is about, the likeliest first."""

    kind: Kind
    message_ids: tuple[str, ...]
    recipients: tuple[ReportedRecipient, ...]


def read_report(message: ParsedMessage) -> Report | None:
    """What a message reports about another one; None for any other mail. Never raises."""
    if not _may_report(message):
        return None
    parts = {part.content_type: part.content for part in reversed(message.attachments)}
    returned = _returned_head(parts)
    report, below = _split((message.text or "")[:MOST_TEXT])
    returned = returned or _head_of(below.encode())
    ids = [*_identifiers(returned), *_envelope(parts), *message.in_reply_to, *reversed(message.references)]
    if "message/feedback-report" in parts or _COMPLAINING.match(message.subject):
        told = dict(_blocks(parts.get("message/feedback-report", b"")))
        people = _addresses(" ".join(told.get("original-rcpt-to", ()))) or _people(returned)
        found = [ReportedRecipient(each, "failed", True, "", "") for each in people]
        return Report("complaint", _each_once(ids), tuple(found[:MOST_RECIPIENTS]))
    found = list(_from_fields(parts.get("message/delivery-status", b""), report.splitlines()))
    found = found or list(_from_prose(message, report, returned))
    return Report("bounce", _each_once(ids), tuple(found[:MOST_RECIPIENTS])) if found else None


def _each_once(identifiers: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(identifiers))[:20]


# ---- what may be a report

_MACHINES = re.compile(
    r"mailer-?daemon|mail-?daemon|post[-_]?master|mmdf|mdaemon|mailadm|mailsystem|undeliver|bounce|delivery|returned|amavis|"
    r"complaints|feedback|abuse|no-?reply|sysadmin|system|ndr|administrator|content-?filter|daemon|root",
    re.IGNORECASE,
)
_FAILING = re.compile(
    r"deliver|return|fail|did not reach|no such user|"
    r"bounc|reject|could not be|couldn.t|unable to|not sent|error|undelivered|delay|warning|problem|"
    r"unzustellbar|zugestellt|remise|remis|non distribu|échec|"
    r"entreg|devuelto|consegna|доставлен|配信|届|送信|不達|退信|投递",
    re.IGNORECASE,
)
_COMPLAINING = re.compile(r"\s*complaint about message", re.IGNORECASE)
_REPORTS = ("message/delivery-status", "message/feedback-report")


def _may_report(message: ParsedMessage) -> bool:
    """Cheap, for it is asked of every message."""
    if any(part.content_type in _REPORTS for part in message.attachments) or _COMPLAINING.match(message.subject):
        return True
    sender = message.from_
    machine = sender is not None and _MACHINES.search(f"{sender.name} {sender.address.partition('@')[0]}") is not None
    if not machine and not (message.auto_submitted and message.header("return-path").replace(" ", "") == "<>"):
        if not message.header("x-failed-recipients"):
            return False
    elif message.list_id or message.list_unsubscribe:
        return False
    return _FAILING.search(message.subject) is not None or _FAILING.search((message.text or "")[:2000]) is not None


# ---- the fields of RFC 3464

Fields = tuple[tuple[str, tuple[str, ...]], ...]


def _blocks(content: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The fields of a block, by name in lower case, unfolded."""
    read = BytesHeaderParser().parsebytes(content.strip() + b"\n\n")
    for name in dict.fromkeys(key.lower() for key in read):
        yield name, tuple(clean_line(str(value)) for value in read.get_all(name, ()))


def _from_fields(content: bytes, report: list[str]) -> Iterator[ReportedRecipient]:
    """Where the fields do not say why, the prose beside them does."""
    seen: set[str] = set()
    for block in re.split(rb"\r?\n[ \t]*\r?\n", content.strip()):
        fields = {name: values[0] for name, values in _blocks(block)}
        wanted = ("final-recipient", "original-recipient", "x-actual-recipient")
        named = [_typed(fields[name]) for name in wanted if name in fields]
        address = next((found[0] for each in named if (found := _addresses(each))), "")
        if not address or address.lower() in seen:
            continue
        seen.add(address.lower())
        words = _typed(fields.get("diagnostic-code", "")) or fields.get("x-supplementary-info", "")
        if not words:
            places = (number for number, line in enumerate(report) if address.lower() in line.lower())
            words = _said(report, next(places, 0), set())
        status = enhanced_status(fields.get("status", "")) or ""
        said = enhanced_status(words) or ""
        if not status or (status[2:] in ("0.0", "3.0", "4.7") and said):
            status = said or status
        yield _recipient(address, _outcome(fields.get("action", ""), status), status, words)


def _typed(value: str) -> str:
    """`rfc822;someone@example.org` without the type."""
    kind, separator, rest = value.partition(";")
    return rest.strip() if separator and re.fullmatch(r"\s*[\w-]+\s*", kind) else value.strip()


def _outcome(said: str, status: str) -> Outcome:
    word = said.strip().lower()
    if word.startswith("delay"):
        return "delayed"
    if word.startswith(("deliver", "relay", "expand")):
        return "delivered"
    return "delivered" if not word and status.startswith("2.") else "failed"


# ---- prose

_HEAD_LINE = re.compile(
    r"^[\s>|]{0,8}(?:Received|Return-Path|Message-ID|MIME-Version|From|To|Subject|Date|Content-Type|X-[\w-]+|DKIM-Signature|"
    r"Reply-To|Sender|Delivered-To|Cc|References|In-Reply-To|Resent-\w+|Errors-To|Precedence|Content-Transfer-Encoding)"
    r"\s?:",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")
_IDENTIFIER_LINE = re.compile(r"message-?id|\bid\b|^[\s>]*(?:from|sender|to|reply-to|cc)\s*:", re.IGNORECASE)
_CODE = re.compile(r"(?<![\d.:])([245]\d\d)(?=[\s\-:#,]|$)")
_DELAYED = re.compile(
    r"will be retried|still trying|will continue|delayed|no action is required|do not need to resend|not yet been|"
    r"warning message only|will keep trying|temporar(?:y|ily)[^.\n]{0,40}(?:fail|delay)",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"give[ns]? up|giving up|permanent|has been in the queue too long|could not be delivered for", re.IGNORECASE
)


def _split(text: str) -> tuple[str, str]:
    """The report, and the mail that came back below it: from where two of three lines are headers."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if start and _HEAD_LINE.match(line):
            following = [each for each in lines[start + 1 : start + 6] if not each.startswith((" ", "\t"))]
            if sum(_HEAD_LINE.match(each) is not None for each in following[:3]) >= 2:
                return "\n".join(lines[:start]), "\n".join(lines[start:])
    return text, ""


def _head_of(text: bytes) -> dict[str, tuple[str, ...]]:
    lines = [line.lstrip(b" >|") if not line.startswith((b" ", b"\t")) else line for line in text.splitlines()]
    return dict(_blocks(b"\n".join(lines).lstrip())) if text.strip() else {}


def _returned_head(parts: dict[str, bytes]) -> dict[str, tuple[str, ...]]:
    """The headers of the mail that came back, where it is a part of the report."""
    for kind in ("message/rfc822", "message/global", "text/rfc822-headers", "text/rfc822-header", "message/partial"):
        if kind in parts and (head := _head_of(re.split(rb"\r?\n[ \t]*\r?\n", parts[kind].strip(), maxsplit=1)[0])):
            return head
    return {}


def _identifiers(head: dict[str, tuple[str, ...]]) -> list[str]:
    found = (read_message_id(value) for value in head.get("message-id", ()))
    return [each for each in found if each]


def _envelope(parts: dict[str, bytes]) -> list[str]:
    """Our Message-ID, which was given as the envelope's too (RFC 3461), where the report repeats that."""
    told = dict(_blocks(parts.get("message/delivery-status", b"").lstrip().split(b"\r\n\r\n")[0].split(b"\n\n")[0]))
    written = "".join(told.get("original-envelope-id", ()))[:300]
    found = _XTEXT.sub(lambda code: chr(int(code[1], 16)), written)
    return [found] if "@" in found and found.isascii() else []


_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def _people(head: dict[str, tuple[str, ...]]) -> list[str]:
    return _addresses(" ".join((*head.get("to", ()), *head.get("cc", ()))))


def _addresses(text: str) -> list[str]:
    return list(dict.fromkeys(found.strip("'`") for found in _ADDRESS.findall(text)))


def _from_prose(
    message: ParsedMessage, report: str, returned: dict[str, tuple[str, ...]]
) -> Iterator[ReportedRecipient]:
    named = _addresses(message.header("x-failed-recipients"))
    wrote = {each.lower() for each in _people(returned)}
    ours = {each.lower() for each in _addresses(" ".join((*returned.get("from", ()), *returned.get("sender", ()))))}
    ours |= {person.address.lower() for person in (*message.to, *message.cc, message.from_) if person}
    lines = report.splitlines()
    places: dict[str, int] = {}
    for number, line in enumerate(lines):
        if not _IDENTIFIER_LINE.search(line) or "<" not in line or "to" in line.lower():
            for address in _addresses(line):
                places.setdefault(address.lower(), number)
    likely = [each for each in places if each not in ours and not each.startswith(("postmaster@", "mailer-daemon@"))]
    chosen = named or [each for each in likely if each in wrote] or likely
    chosen = chosen or _people(returned) or list(places)
    delayed = _DELAYED.search(report) is not None and _FINAL.search(report) is None
    for address in dict.fromkeys(chosen):
        start = places.get(address.lower(), 0)
        words = _said(lines, start, {places[each] for each in chosen if each.lower() in places and each != address})
        status = enhanced_status(words) or ""
        yield _recipient(address, "delayed" if delayed else "failed", status, words)


def _said(lines: list[str], start: int, others: set[int]) -> str:
    """The reply of a server near the address in line `start`; else the words around it."""
    window: list[str] = []
    for number in range(start, min(len(lines), start + WINDOW_LINES)):
        if number > start and number in others:
            break
        window.append(lines[number].strip())
    near = _reply_in(window) or ("" if others else _reply_in([line.strip() for line in lines]))
    return near or clean_line(" ".join(filter(None, window)))[:MOST_WORDS]


def _reply_in(lines: list[str]) -> str:
    for number, line in enumerate(lines):
        if (_CODE.search(line) or enhanced_status(line)) and not line.lower().startswith(("date", "received")):
            match = _CODE.search(line)
            rest = [line[match.start() :] if match else line]
            for more in lines[number + 1 : number + 4]:
                if not more or more.startswith(("<<<", ">>>", "--")):
                    break
                rest.append(more)
            return clean_line(" ".join(rest))[:MOST_WORDS]
    return ""


def _recipient(address: str, outcome: Outcome, status: str, words: str) -> ReportedRecipient:
    said = clean_line(words)[:MOST_WORDS]
    code = _CODE.search(said)
    passing = passes_by_itself(status, int(code.group(1)) if code else 0, said)
    return ReportedRecipient(address, outcome, outcome == "failed" and not passing, status, said)
