"""What a server's answers mean: from responses to values. Pure, and forgiving where servers are sloppy."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from sync.imap.names import ROLE_ATTRIBUTES, folder_title, role_by_name
from sync.imap.reader import Response, Unreadable, Value, parse_fetch, parse_number_set, parse_values
from sync.types import FolderInfo, FolderRole

log = logging.getLogger(__name__)

_CODE = re.compile(rb"\[([A-Z-]+)(?: ([^\]]*))?\]", re.IGNORECASE)
_OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}")
_FLAGS = re.compile(rb"\* FLAGS \(([^()]*)\)", re.IGNORECASE)
_EXISTS = re.compile(rb"\* (\d+) EXISTS", re.IGNORECASE)
_MONTHS: list[str] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DATE = re.compile(rb"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True)
class Selected:
    """What the server says when a folder is opened. `uid_next` may be 0 on old servers; modseq 0 without
    CONDSTORE. `resync` is what it told of the time since we were here (QRESYNC); None when it was not asked, or did
    not remember.
    """

    folder: str
    uid_validity: int
    uid_next: int
    exists: int
    highest_modseq: int
    read_only: bool
    resync: "Resync | None" = None
    object_id: str = ""
    """MAILBOXID (RFC 8474), or empty."""
    keywords: tuple[str, ...] = ()
    """What messages may be marked with besides the flags that every server has."""
    permanent: frozenset[str] | None = None
    """What stays marked when the folder is closed (PERMANENTFLAGS), in lower case; None where it was not told."""

    def keeps(self, keyword: str) -> bool:
        """Whether messages here can be marked with this keyword for good (RFC 9051 section 7.1)."""
        if self.permanent is None:  # then it is whatever FLAGS lists
            return keyword.lower() in {each.lower() for each in self.keywords}
        return "\\*" in self.permanent or keyword.lower() in self.permanent


@dataclass(frozen=True, slots=True)
class Resync:
    """The answer to opening a folder with QRESYNC (RFC 7162 section 3.2.5): what happened while we were away."""

    vanished: tuple[int, ...]
    """UIDs that are gone; there may be some among them that we never had."""
    changed: tuple["Flags", ...]


@dataclass
class Changes:
    """What the server told about the open folder without being asked, since it was last taken."""

    new: int = 0
    """How many messages were added."""
    gone: bool = False
    vanished: set[int] = field(default_factory=set)
    """The UIDs of those that are gone, where the server names them (QRESYNC)."""
    flags: set[int] = field(default_factory=set)
    """Message numbers whose flags changed, as the numbers stand now."""

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.flags)

    def expunged(self, number: int) -> None:
        """A message left: the numbers above it move down (RFC 9051 section 7.5.1)."""
        self.gone = True
        self.flags = {each - (each > number) for each in self.flags if each != number}


@dataclass
class FolderNews:
    """What the server told of folders that are not open (NOTIFY, RFC 5465), since it was last taken."""

    changed: set[str] = field(default_factory=set)
    renamed: bool = False
    """Folders were created, deleted or renamed."""
    overflow: bool = False
    """There was too much to tell: the server tells no more (section 5.8)."""

    def __bool__(self) -> bool:
        return bool(self.changed or self.renamed or self.overflow)


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """STATUS of a folder that is not open; equal values mean that nothing is seen to have happened."""

    uid_validity: int
    uid_next: int
    messages: int
    unseen: int
    highest_modseq: int
    size: int | None = None
    """Bytes, where they were asked for (RFC 8438)."""


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags of one message, and its modification sequence (0 without CONDSTORE)."""

    uid: int
    flags: frozenset[str]
    modseq: int


def parse_selected(folder: str, responses: Iterable[Response], final: bytes, *, read_only: bool) -> Selected:
    """The answer to SELECT or EXAMINE; `final` is its tagged line."""
    codes: dict[bytes, bytes] = {}
    exists = 0
    keywords: tuple[str, ...] = ()
    vanished: list[int] = []
    changed: list[Flags] = []
    for response in responses:
        if response.line[:21].upper() == b"* VANISHED (EARLIER) ":
            vanished += parse_number_set(response.line[21:].strip())
        changed += parse_changed(response)
        match = _CODE.search(response.line)
        if match is not None and response.line[:4].upper() == b"* OK":
            codes[match.group(1).upper()] = match.group(2) or b""
        told = _EXISTS.match(response.line)
        if told is not None:
            exists = int(told.group(1))
        if (listed := _FLAGS.match(response.line)) is not None:
            words = listed.group(1).decode("ascii", "replace").split()
            keywords = tuple(word for word in words if not word.startswith("\\"))
    return Selected(
        folder=folder,
        uid_validity=parse_number(codes.get(b"UIDVALIDITY")),
        uid_next=parse_number(codes.get(b"UIDNEXT")),
        exists=exists,
        highest_modseq=parse_number(codes.get(b"HIGHESTMODSEQ")),
        read_only=read_only or b"[READ-ONLY]" in final.upper(),
        resync=Resync(tuple(vanished), tuple(changed)),
        object_id=parse_object_id(codes.get(b"MAILBOXID", b"").strip(b"()")),
        keywords=keywords,
        permanent=_permanent(codes.get(b"PERMANENTFLAGS")),
    )


def _permanent(told: bytes | None) -> frozenset[str] | None:
    return None if told is None else frozenset(told.decode("ascii", "replace").strip(" ()").lower().split())


def parse_changed(response: Response) -> list[Flags]:
    """The flags that a FETCH response tells, if it is one and names its UID."""
    try:
        fetched = parse_fetch(response)
    except Unreadable:
        return []  # the response is not what it seems; whoever asked for it says so
    if fetched is None or "FLAGS" not in fetched[1] or "UID" not in fetched[1]:
        return []
    items = fetched[1]
    return [Flags(parse_number(items["UID"]), parse_flags(items["FLAGS"]), parse_modseq(items.get("MODSEQ")))]


def parse_statuses(responses: Iterable[Response]) -> dict[str, FolderStatus]:
    """STATUS lines, by folder. What the server leaves out is 0."""
    found: dict[str, FolderStatus] = {}
    for response in responses:
        if response.line[:9].upper() != b"* STATUS ":
            continue
        values = parse_values(response, 9)
        name, items = values[0], values[-1]
        if not isinstance(items, list) or not isinstance(name, bytes):
            continue
        names = [each.upper() for each in items[::2] if isinstance(each, bytes)]
        told = dict(zip(names, items[1::2], strict=False))
        wanted = (b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES", b"UNSEEN", b"HIGHESTMODSEQ")
        found[folder_name(name)] = FolderStatus(
            *(parse_number(told.get(each)) for each in wanted),
            size=parse_number(told[b"SIZE"]) if b"SIZE" in told else None,
        )
    return found


def parse_status_line(response: Response) -> str:
    """The folder that a STATUS line speaks of; empty when it cannot be read."""
    try:
        name = parse_values(response, 9)[0]
    except (ValueError, IndexError):
        return ""
    return folder_name(name) if isinstance(name, bytes) else ""


def folder_name(wire: bytes) -> str:
    """The key of a folder: the server's spelling, of the inbox always `INBOX`."""
    name = wire.decode("utf-8", "replace")
    return "INBOX" if name.upper() == "INBOX" else name


def parse_object_id(value: Value | None) -> str:
    """EMAILID or MAILBOXID (RFC 8474: in brackets) or X-GM-MSGID (bare); empty without one, or for nonsense."""
    bare = value[0] if isinstance(value, list) and value else value
    return bare.decode("ascii") if isinstance(bare, bytes) and _OBJECT_ID.fullmatch(bare) else ""


def parse_copyuid(lines: Iterable[bytes]) -> dict[int, int]:
    """New UIDs by old ones from COPYUID, wherever the server put it (RFC 4315, RFC 6851 section 4.3)."""
    for line in lines:
        match = re.search(rb"\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]", line)
        if match is not None:
            old, new = parse_number_set(match.group(1)), parse_number_set(match.group(2))
            return dict(zip(old, new, strict=False))
    return {}


def parse_list(response: Response) -> FolderInfo | None:
    """One folder of a LIST answer; None for any other response, and for one that cannot be read."""
    if response.line[:7].upper() != b"* LIST ":
        return None
    try:
        attributes, delimiter, name, *_ = parse_values(response, 7)
    except ValueError as error:
        log.warning("a folder was left out, its LIST line cannot be read: %s", error)
        return None
    if not isinstance(name, bytes) or not isinstance(attributes, list):
        return None
    words = [word.decode("ascii", "replace").lower() for word in attributes if isinstance(word, bytes)]
    wire = name.decode("utf-8", "replace")
    separator = delimiter.decode("utf-8", "replace") if isinstance(delimiter, bytes) else None
    inbox = wire.upper() == "INBOX"
    role: FolderRole | None = "inbox" if inbox else None
    for word in words:
        role = role or ROLE_ATTRIBUTES.get(word)
    some = "\\flagged" in words or "\\important" in words
    return FolderInfo(
        name=folder_name(name),
        title=folder_title(wire),
        delimiter=separator,
        role=role,
        selectable="\\noselect" not in words and "\\nonexistent" not in words and "\ufffd" not in wire,
        gathers="all" if "\\all" in words else "some" if some else "",
    )


def with_roles_by_name(folders: list[FolderInfo]) -> list[FolderInfo]:
    """Roles that the server left open, by name; the shortest name wins, and no role is given twice."""
    taken: set[FolderRole | None] = {folder.role for folder in folders if folder.role is not None}
    named = {folder.name: folder for folder in folders}
    for folder in sorted(folders, key=lambda each: (len(each.title), each.title)):
        role = role_by_name(folder.title, folder.delimiter)
        if folder.role is None and folder.selectable and role is not None and role not in taken:
            taken.add(role)
            named[folder.name] = replace(folder, role=role)
    return list(named.values())


def parse_number(value: object) -> int:
    """A number; 0 for anything else."""
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0


def parse_modseq(value: Value | None) -> int:
    """The value of MODSEQ; 0 without CONDSTORE."""
    return parse_number(value[0]) if isinstance(value, list) and value else 0


def parse_flags(value: Value | None) -> frozenset[str]:
    """Flags as the server spells them; system flags in their usual spelling, \\Recent left out (RFC 9051)."""
    words = [each for each in value if isinstance(each, bytes)] if isinstance(value, list) else []
    names = (word.decode("utf-8", "replace") for word in words)
    usual = ("\\" + name[1:].capitalize() if name.startswith("\\") else name for name in names)
    return frozenset(name for name in usual if name != "\\Recent")


def parse_date(value: Value | None) -> datetime:
    """INTERNALDATE as an aware datetime; the present time when the server sends nonsense."""
    match = _DATE.match(value) if isinstance(value, bytes) else None
    if match is None:
        return datetime.now(UTC)
    day, month, year, hour, minute, second, sign, zone_hour, zone_minute = match.groups()
    offset = timedelta(hours=int(zone_hour), minutes=int(zone_minute)) * (-1 if sign == b"-" else 1)
    try:
        return datetime(
            int(year),
            _MONTHS.index(str(month, "ascii").capitalize()) + 1,
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=timezone(offset),
        )
    except ValueError:
        return datetime.now(UTC)


def format_date(date: datetime) -> str:
    """INTERNALDATE as APPEND wants it; a naive datetime is taken as UTC."""
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return f'"{aware.day:02d}-{_MONTHS[aware.month - 1]}-{aware:%Y %H:%M:%S %z}"'
