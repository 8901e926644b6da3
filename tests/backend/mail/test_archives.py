"""What lies in mbox files, Maildirs and folders of them, read as it was meant."""

from pathlib import Path

import pytest

from backend.mail.archives import Kept, find_archives, read_archive
from tests.servers.delivery import write_mail
from tests.shared_data import shared_data


def all_of(path: Path) -> list[Kept]:
    return [kept for archive in find_archives(path).archives for kept in read_archive(archive)]


def unix(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n")


def mbox_of(*raws: bytes, status: str = "") -> bytes:
    """An mbox as mail programs write it."""
    lines = f"Status: {status}\n".encode() if status else b""
    return b"".join(
        b"From carla@customer.example Mon Mar  3 10:11:12 2025\n" + lines + unix(raw) + b"\n" for raw in raws
    )


def maildir(folder: Path, *messages: tuple[str, bytes]) -> Path:
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    for name, raw in messages:
        (folder / ("cur" if ":2," in name else "new") / name).write_bytes(unix(raw))
    return folder


def test_an_mbox_gives_its_messages_as_they_were_on_the_wire(tmp_path: Path) -> None:
    raws = [write_mail(subject=f"Number {n}", text="One line\n\nanother") for n in range(3)]
    (tmp_path / "old.mbox").write_bytes(mbox_of(*raws))
    assert [kept.raw for kept in all_of(tmp_path / "old.mbox")] == raws


def test_a_line_of_the_text_that_begins_with_from_is_text(tmp_path: Path) -> None:
    raw = write_mail(text="Hello\n\n>From now on it works.\n>>From quoted\nFrom the middle of a paragraph\n")
    path = tmp_path / "one.mbox"
    path.write_bytes(mbox_of(raw))
    [kept] = all_of(path)
    assert b"\r\nFrom now on it works.\r\n>From quoted\r\nFrom the middle" in kept.raw


def test_a_paragraph_that_begins_with_from_does_not_end_a_message(tmp_path: Path) -> None:
    path = tmp_path / "one.mbox"
    path.write_bytes(mbox_of(write_mail(text="Hello\n\nFrom Berlin we went to Prague.\n")))
    assert len(all_of(path)) == 1


@pytest.mark.parametrize(
    ("status", "seen", "deleted", "draft"),
    [("RO", True, False, False), ("O", False, False, False), ("RO\nX-Status: D", True, True, False),
     ("RO\nX-Status: T", True, False, True)],
)  # fmt: skip
def test_the_flags_of_an_mbox(tmp_path: Path, status: str, *, seen: bool, deleted: bool, draft: bool) -> None:
    (tmp_path / "Inbox").write_bytes(mbox_of(write_mail(), status=status))
    [kept] = all_of(tmp_path / "Inbox")
    assert (kept.seen, kept.deleted, kept.draft, kept.role) == (seen, deleted, draft, "inbox")


@pytest.mark.parametrize(
    ("line", "seen", "flags"),
    [
        (b"Status: RO\nX-Status: AF", True, {"\\Flagged", "\\Answered"}),
        (b"Status: RO\nX-Status: F", True, {"\\Flagged"}),
        (b"Status: O", False, set()),
        (b"X-Mozilla-Status: 0007", True, {"\\Flagged", "\\Answered"}),
        (b"X-Mozilla-Status: 0002", False, {"\\Answered"}),
        (b"X-Mozilla-Status: nonsense", True, set()),
        (b"X-Gmail-Labels: Inbox,Starred", True, {"\\Flagged"}),
    ],
)
def test_an_mbox_says_what_was_flagged_and_answered(tmp_path: Path, line: bytes, seen: bool, flags: set[str]) -> None:
    (tmp_path / "Inbox").write_bytes(mbox_of(line + b"\n" + write_mail()))
    [kept] = all_of(tmp_path / "Inbox")
    assert (kept.seen, kept.flags) == (seen, flags)


@pytest.mark.parametrize(
    ("letters", "flags"),
    [("FRS", {"\\Flagged", "\\Answered"}), ("RS", {"\\Answered"}), ("F", {"\\Flagged"}), ("S", set()), ("", set())],
)
def test_a_maildir_says_what_was_flagged_and_answered(tmp_path: Path, letters: str, flags: set[str]) -> None:
    [kept] = all_of(maildir(tmp_path / "Maildir", (f"1.M1.host:2,{letters}", write_mail())))
    assert (kept.seen, kept.flags) == ("S" in letters, flags)


def test_the_labels_of_a_takeout(tmp_path: Path) -> None:
    def labelled(labels: str) -> bytes:
        return b"X-Gmail-Labels: " + labels.encode() + b"\n" + write_mail()

    names = ["Inbox,Unread", "Sent,Opened", "Spam", "Trash,Inbox", "=?UTF-8?Q?Archived,B=C3=BCcher?=", "Travel"]
    (tmp_path / "All mail.mbox").write_bytes(mbox_of(*map(labelled, names)))
    found = all_of(tmp_path / "All mail.mbox")
    assert [kept.role for kept in found] == ["inbox", "sent", "junk", "trash", "archive", "archive"]
    assert [kept.seen for kept in found] == [False, True, True, True, True, True]


def test_a_maildir_with_folders_the_inbox_first(tmp_path: Path) -> None:
    top = maildir(tmp_path / "Maildir", ("1.M1.host:2,FS", write_mail()), ("2.M2.host", write_mail()))
    maildir(top / ".Sent", ("1.M3.host:2,S", write_mail()))
    maildir(top / ".INBOX.Gel&APY-scht", ("1.M5.host:2,ST", write_mail()))
    maildir(top / ".Drafts", ("1.M4.host:2,D", write_mail()))
    (top / "dovecot-uidlist").write_text("3 V1 N1 G1\n")
    found = all_of(tmp_path / "Maildir")
    assert [(kept.role, kept.seen, kept.deleted, kept.draft) for kept in found] == [
        ("inbox", True, False, False),
        ("inbox", False, False, False),
        ("sent", True, False, False),
        ("trash", True, True, False),
        ("drafts", False, False, True),
    ]


def test_a_folder_of_everything(tmp_path: Path) -> None:
    maildir(tmp_path / "Sent", ("1.M1.host:2,S", write_mail()))
    (tmp_path / "Projects.sbd").mkdir()
    (tmp_path / "Projects.sbd" / "Archive").write_bytes(mbox_of(write_mail(), write_mail()))
    (tmp_path / "Inbox.mbox").mkdir()
    (tmp_path / "Inbox.mbox" / "mbox").write_bytes(mbox_of(write_mail()))
    (tmp_path / "Inbox.msf").write_text("// <!-- <mdb:mork:z -->")
    (tmp_path / "letter.eml").write_bytes(write_mail())
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF")
    found = find_archives(tmp_path)
    assert [(each.kind, each.role) for each in found.archives] == [
        ("mbox", "inbox"), ("message", None), ("mbox", "archive"), ("maildir", "sent"),
    ]  # fmt: skip
    assert [path.name for path in found.left_out] == ["holiday.jpg"]
    assert len(all_of(tmp_path)) == 5


def test_a_file_that_is_named_is_a_message_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"\xff\xfe no header at all")
    [kept] = all_of(tmp_path / "broken")
    assert kept.raw == b"\xff\xfe no header at all"


def test_of_a_long_mbox_one_message_is_read_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "long.mbox"
    path.write_bytes(mbox_of(*[write_mail(text="word " * 20_000) for _ in range(50)]))
    [archive] = find_archives(path).archives
    assert next(iter(read_archive(archive))).size < archive.size / 40


def test_nothing_of_the_shared_archives_is_left_behind() -> None:
    folder = shared_data("imap-imaptest")
    for path in sorted(folder.rglob("*.mbox")):
        read = b"".join(unix(kept.raw) for kept in all_of(path))
        assert len(read.split()) >= len(b" ".join(
            line for line in unix(path.read_bytes()).split(b"\n") if not line.startswith(b"From ")
        ).split())  # fmt: skip
    assert len(all_of(shared_data("mime-stalwart") / "maildir")) == len(
        [path for path in (shared_data("mime-stalwart") / "maildir").rglob("*") if path.parent.name in ("cur", "new")]
    )
