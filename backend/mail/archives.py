"""Mail as it lies in files, read one message at a time: mbox files, Maildirs, single messages, folders of them.

    mbox      messages in one file, each after a line "From ..." (RFC 4155). A message line that begins so is written
              ">From ..."; the sign is taken away. Status and X-Status hold the flags, X-Gmail-Labels the folders of a
              Google Takeout, X-Mozilla-Status Thunderbird's flags.
    Maildir   a folder with `cur` and `new`, a file for each message, the flags at the end of its name (":2,FRS").
              Folders beside the Inbox are Maildirs too: `.Sent` (Maildir++) or `Sent` (isync, OfflineIMAP).
    .eml      one message.

Nothing is changed in the files, and of an mbox of any length one message is held at a time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import decode_header, make_header
from pathlib import Path
from typing import Literal

from backend.mail.intents import FLAG_OF
from sync.imap.names import FolderRole, folder_title, role_by_name
from sync.mime.headers import split_head
from sync.mime.identifiers import read_date

Kind = Literal["mbox", "maildir", "message"]

_SEPARATOR = re.compile(rb"From .*\d:\d\d|From \S+\s*$")
"""An mbox line between messages; with a blank line before it."""
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_HEADER = re.compile(rb"(?:[!-9;-~]{1,80}:[ \t]?[^\n]*|From [^\n]*)\r?\n")
_MAILDIR_FLAGS = re.compile(r"[:;!]2,(?P<flags>[A-Za-z]*)\Z")
_NO_MAIL = frozenset({".msf", ".lock", ".log", ".dat", ".idx", ".json", ".html", ".txt", ".csv", ".pdf", ".zip", ".gz"})
_ORDER: tuple[FolderRole | None, ...] = ("inbox", None, "archive", "sent", "junk", "trash", "drafts")
"""The Inbox first: what is open there stays so when older parts of the same conversations follow."""
_LABELS: dict[str, FolderRole] = {
    "inbox": "inbox",
    "sent": "sent",
    "drafts": "drafts",
    "draft": "drafts",
    "spam": "junk",
    "trash": "trash",
    "bin": "trash",
    "archived": "archive",
}


@dataclass(frozen=True, slots=True)
class Archive:
    """A file or Maildir with messages. `role` is what its name says that the folder was for."""

    path: Path
    kind: Kind
    role: FolderRole | None
    size: int
    """Bytes, for showing progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message as it was kept. `raw` has the line ends of mail on the wire; flags are those that are known."""

    raw: bytes
    where: str
    """For people: the file, and the number of the message in it."""
    size: int
    """Bytes that it takes in its archive."""
    role: FolderRole | None = None
    seen: bool = True
    draft: bool = False
    deleted: bool = False
    flags: frozenset[str] = frozenset()
    """Flagged and answered, as IMAP names them."""
    kept_at: datetime | None = None
    """When it was stored there, as far as that is told; its Date header is the better witness."""


@dataclass(slots=True)
class Found:
    """What a path holds."""

    archives: list[Archive] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)
    """Files that hold no mail."""


def find_archives(path: Path) -> Found:
    """What there is to import at `path`, the Inbox first. A file that is named itself is taken for a message even if
    it does not look like one. Raises OSError for what cannot be read."""
    found = Found()
    if path.is_dir():
        _search(path, found, _role_of_top(path))
    else:
        kind: Kind = "mbox" if _kind_of(path) == "mbox" else "message"
        found.archives.append(Archive(path, kind, _role_of(path), path.stat().st_size))
    found.archives.sort(key=lambda archive: (_ORDER.index(archive.role), str(archive.path)))
    return found


def read_archive(archive: Archive) -> Iterator[Kept]:
    """The messages of an archive, in its order. Raises OSError; a broken message is handed over as it is."""
    match archive.kind:
        case "mbox":
            yield from _read_mbox(archive)
        case "maildir":
            yield from _read_maildir(archive)
        case _:
            raw = archive.path.read_bytes()
            yield _of_file(archive, archive.path, raw, "")


def _search(folder: Path, found: Found, role: FolderRole | None) -> None:
    maildir = _is_maildir(folder)
    if maildir:
        size = sum(path.stat().st_size for path in _maildir_files(folder))
        found.archives.append(Archive(folder, "maildir", role, size))
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or (path.name in ("cur", "new", "tmp") and maildir):
            continue
        if path.is_dir():
            _search(path, found, _role_of(path))
        elif path.is_file() and not _is_bookkeeping(path):
            kind = _kind_of(path)
            if kind is None:
                found.left_out.append(path)
            else:
                # One file of many in a folder: the folder's name tells what they were.
                named = path if kind == "mbox" and path.stem.lower() != "mbox" else path.parent
                found.archives.append(Archive(path, kind, _role_of(named), path.stat().st_size))


def _is_maildir(folder: Path) -> bool:
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def _is_bookkeeping(path: Path) -> bool:
    """What mail programs keep beside the mail."""
    name = path.name.lower()
    return name.startswith((".", "dovecot", "maildirfolder", "subscriptions")) or path.suffix.lower() in _NO_MAIL


def _kind_of(path: Path) -> Kind | None:
    """By the first bytes: an mbox line, or a header line."""
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if path.suffix.lower() == ".eml":
        return "message"
    if start.startswith(b"From ") and _SEPARATOR.match(start.partition(b"\n")[0]):
        return "mbox"
    return "message" if _HEADER.match(start) and b"\0" not in start else None


def _role_of(path: Path) -> FolderRole | None:
    """What a folder or mbox file of this name is commonly for."""
    name = path.name if path.is_dir() else path.stem
    name = re.sub(r"\.(mbox|mbx|sbd)\Z", "", name, flags=re.IGNORECASE)
    title = folder_title(name.lstrip("."))
    return "inbox" if title.lower() == "inbox" else role_by_name(title, "." if name.startswith(".") else None)


def _role_of_top(folder: Path) -> FolderRole | None:
    """A Maildir that others hang below (Maildir++), or that has no name of its own, is the Inbox."""
    below = any(path.name.startswith(".") and _is_maildir(path) for path in folder.iterdir())
    return "inbox" if below or folder.name.lower() in ("maildir", "mail") else _role_of(folder)


def _read_mbox(archive: Archive) -> Iterator[Kept]:
    lines: list[bytes] = []
    number = 0
    with archive.path.open("rb") as file:
        blank = True
        for line in file:
            if blank and line.startswith(b"From ") and (_SEPARATOR.match(line) or not (lines or number)):
                if lines:
                    number += 1
                    yield _of_mbox(archive, lines, number)
                lines = []
            lines.append(line)
            blank = not line.strip(b"\r\n")
    if lines and any(line.strip() for line in lines):
        yield _of_mbox(archive, lines, number + 1)


def _of_mbox(archive: Archive, lines: list[bytes], number: int) -> Kept:
    size = sum(map(len, lines))
    first, rest = (lines[0], lines[1:]) if lines[0].startswith(b"From ") else (b"", lines)
    if len(rest) > 1 and not rest[-1].strip(b"\r\n"):
        rest = rest[:-1]  # belongs to the separator that follows
    raw = _ESCAPED.sub(rb"\1", b"".join(rest))
    head = _head(raw)
    status = _value(head, b"status") + _value(head, b"x-status")
    thunderbird = _mozilla_status(head)
    words = first.decode("ascii", "replace").split(maxsplit=2)
    return Kept(
        raw=_on_the_wire(raw),
        where=f"{archive.path}, message {number}",
        size=size,
        role=_labelled(head) or archive.role,
        seen="R" in status if status else bool(thunderbird & 1) if thunderbird else not _is_unread(head),
        draft="T" in _value(head, b"x-status"),
        deleted="D" in _value(head, b"x-status") or bool(thunderbird & 8),
        flags=_flags(
            flagged="F" in _value(head, b"x-status") or bool(thunderbird & 4) or "starred" in _gmail_labels(head),
            answered="A" in _value(head, b"x-status") or bool(thunderbird & 2),
        ),
        kept_at=read_date(words[2]) if len(words) == 3 else None,
    )


def _read_maildir(archive: Archive) -> Iterator[Kept]:
    for path in _maildir_files(archive.path):
        flags = _MAILDIR_FLAGS.search(path.name)
        yield _of_file(archive, path, path.read_bytes(), flags["flags"] if flags else "")


def _maildir_files(folder: Path) -> list[Path]:
    """The messages, in the order of their delivery: a name begins with the second."""
    files = [path for part in ("cur", "new") for path in (folder / part).iterdir() if path.is_file()]
    return sorted((path for path in files if not path.name.startswith(".")), key=lambda path: path.name)


def _of_file(archive: Archive, path: Path, raw: bytes, flags: str) -> Kept:
    head = _head(raw)
    return Kept(
        raw=_on_the_wire(raw),
        where=str(path),
        size=len(raw),
        role=_labelled(head) or archive.role,
        seen="S" in flags if archive.kind == "maildir" else not _is_unread(head),
        draft="D" in flags,
        deleted="T" in flags,
        flags=_flags(flagged="F" in flags or "starred" in _gmail_labels(head), answered="R" in flags),
        kept_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
    )


def _flags(*, flagged: bool, answered: bool) -> frozenset[str]:
    return frozenset(FLAG_OF[kind] for kind, on in (("flagged", flagged), ("answered", answered)) if on)


def _mozilla_status(head: bytes) -> int:
    """Thunderbird's flags: 1 read, 2 answered, 4 starred, 8 deleted; 0 without them."""
    value = _value(head, b"x-mozilla-status")
    return int(value, 16) if re.fullmatch(r"[0-9A-Fa-f]{4}", value) else 0


def _on_the_wire(raw: bytes) -> bytes:
    """With CR LF at the end of each line, as a mail server hands it over; what has CR LF already stays as it is."""
    return raw if b"\r\n" in raw[:2000] else _BARE_LF.sub(b"\r\n", raw)


def _head(raw: bytes) -> bytes:
    return split_head(raw)[0]


def _value(head: bytes, name: bytes) -> str:
    """A header field's value, unfolded."""
    found = re.search(rb"^" + re.escape(name) + rb":(?P<value>.*(?:\r?\n[ \t].*)*)", head, re.IGNORECASE | re.MULTILINE)
    return re.sub(r"\s+", " ", found["value"].decode("latin-1")).strip() if found else ""


def _gmail_labels(head: bytes) -> list[str]:
    """The labels of a Google Takeout, in small letters. Those of an account in another language are not understood."""
    value = _value(head, b"x-gmail-labels")
    try:
        text = str(make_header(decode_header(value))) if value else ""
    except (ValueError, LookupError):
        text = value
    return [label.strip().strip('"').lower() for label in text.split(",") if label.strip()]


def _labelled(head: bytes) -> FolderRole | None:
    """The strongest of the labels: what is in the Trash is not in the Inbox, what is in the Inbox may be sent."""
    roles = {_LABELS[label] for label in _gmail_labels(head) if label in _LABELS}
    order: tuple[FolderRole, ...] = ("drafts", "trash", "junk", "inbox", "sent", "archive")
    return next((role for role in order if role in roles), None)


def _is_unread(head: bytes) -> bool:
    return "unread" in _gmail_labels(head)
