"""Mail from files in a mailbox: stored once, in its conversations, as history that nobody is woken for."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from backend.conversations.contracts import ConversationPage, HistoryStored, MessageAdded, SetStatus
from backend.database.connection import fetch, fetch_value
from backend.errors import NotFound
from backend.mail.importing import Progress, find_mailbox, import_mail
from tests.backend.mail.test_archives import maildir, mbox_of
from tests.servers.api import Api
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail
from tests.servers.tandem import tandem
from tests.shared_data import shared_data

LONG_AGO = datetime.now(UTC) - timedelta(days=400)


async def subjects(api: Api, view: str) -> list[str]:
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage, view=view)
    return sorted(item.row.subject for item in page.items)


async def test_where_mail_lay_decides_what_becomes_of_it(api: Api, tmp_path: Path) -> None:
    inbox = write_mail(subject="Still open", at=LONG_AGO)
    ours = write_mail(
        subject="Re: Still open", sender="support@northwind.example", to="carla@customer.example",
        answers=message_id_of(inbox), at=LONG_AGO + timedelta(hours=1),
    )  # fmt: skip
    maildir(tmp_path / "Maildir", ("1.M1.h:2,S", inbox))
    maildir(tmp_path / "Maildir" / ".Sent", ("1.M2.h:2,S", ours))
    maildir(tmp_path / "Maildir" / ".Archive", ("1.M3.h:2,S", write_mail(subject="Long done", at=LONG_AGO)))
    maildir(tmp_path / "Maildir" / ".Junk", ("1.M4.h:2,S", write_mail(subject="Cheap watches", at=LONG_AGO)))
    maildir(tmp_path / "Maildir" / ".Drafts", ("1.M5.h:2,D", write_mail(subject="Unfinished", at=LONG_AGO)))
    outcome = await import_mail(api.support, [tmp_path / "Maildir"])
    assert (outcome.new, outcome.known, outcome.drafts, outcome.failed) == (4, 0, 1, [])
    assert [await subjects(api, view) for view in ("open", "done", "spam")] == [
        ["Still open"], ["Long done"], ["Cheap watches"],
    ]  # fmt: skip
    directions = await fetch("SELECT direction FROM messages WHERE subject LIKE '%Still open' ORDER BY date")
    assert [row["direction"] for row in directions] == ["incoming", "outgoing"]


async def test_what_was_flagged_and_answered_stays_so(api: Api, tmp_path: Path) -> None:
    names = {"Starred": "F", "Answered": "RS", "Both": "FRS", "Neither": "S"}
    mails = [
        (f"{n}.M1.h:2,{each}", write_mail(subject=name, at=LONG_AGO)) for n, (name, each) in enumerate(names.items())
    ]
    files = maildir(tmp_path / "Maildir", *mails)
    for _ in range(2):
        await import_mail(api.support, [files])
        kept = {row["subject"]: row["flags"] for row in await fetch(
            "SELECT subject, ARRAY(SELECT jsonb_array_elements_text(kept_flags)) AS flags FROM messages"
        )}  # fmt: skip
        assert kept == {
            "Starred": ["\\Flagged"],
            "Answered": ["\\Answered"],
            "Both": ["\\Answered", "\\Flagged"],
            "Neither": [],
        }


async def test_again_nothing_is_doubled_whatever_came_meanwhile(api: Api, tmp_path: Path) -> None:
    inbox = await Arriving.into(api.support)
    fetched, other = write_mail(subject="On the server too"), write_mail(subject="In the file alone", at=LONG_AGO)
    await inbox.deliver(fetched)
    (tmp_path / "old.mbox").write_bytes(mbox_of(fetched, other, other))
    first = await import_mail(api.support, [tmp_path / "old.mbox"])
    assert (first.new, first.known) == (1, 2)
    again = await import_mail(api.support, [tmp_path / "old.mbox"])
    assert (again.new, again.known) == (0, 3)
    await inbox.deliver(other)
    assert await fetch_value("SELECT count(*) FROM messages") == 2


async def test_an_import_reopens_nothing_and_is_one_event_a_batch(served: Api, tmp_path: Path) -> None:
    inbox = await Arriving.into(served.support)
    first = write_mail(at=LONG_AGO)
    await inbox.deliver(first)
    [row] = (await served.ana.get(f"/mailboxes/{served.support}/conversations", ConversationPage)).items
    await served.ana.put(f"/conversations/{row.row.id}/status", SetStatus(status="done"))
    old = [write_mail(subject=f"Old {n}", at=LONG_AGO) for n in range(30)]
    answer = write_mail(subject="Re: My bike squeaks", answers=message_id_of(first), at=LONG_AGO)
    (tmp_path / "Inbox").write_bytes(mbox_of(*old, answer))
    async with served.live(served.ana) as live:
        await import_mail(served.support, [tmp_path / "Inbox"])
        assert (await live.event(HistoryStored)).messages == 31
    assert not [frame for frame in live.frames if isinstance(getattr(frame, "event", None), MessageAdded)]
    assert await subjects(served, "done") == ["My bike squeaks"]
    counts = await served.ana.get("/counts")
    assert [each["unread"] for each in counts["mailboxes"]] == [0]


async def test_a_conversation_that_lies_in_two_files_is_as_open_as_its_most_open_part(api: Api, tmp_path: Path) -> None:
    first = write_mail(subject="Fork", at=LONG_AGO)
    second = write_mail(subject="Re: Fork", answers=message_id_of(first), at=LONG_AGO + timedelta(days=1))
    labelled = [b"X-Gmail-Labels: Archived\n" + first, b"X-Gmail-Labels: Inbox\n" + second]
    (tmp_path / "takeout.mbox").write_bytes(mbox_of(*labelled))
    await import_mail(api.support, [tmp_path / "takeout.mbox"])
    assert await subjects(api, "open") == ["Fork"]


async def test_unread_mail_in_one_s_own_inbox_stays_unread(api: Api, tmp_path: Path) -> None:
    (tmp_path / "Inbox").write_bytes(mbox_of(write_mail(subject="New", at=LONG_AGO), status="O"))
    await import_mail(api.toms_mailbox, [tmp_path / "Inbox"])
    counts = await api.tom.get("/counts")
    assert [each["unread"] for each in counts["mailboxes"]] == [1]


async def test_a_broken_message_is_stored_as_it_is(api: Api, tmp_path: Path) -> None:
    broken = b"Subject: cut\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n\0\xff and nothing more"
    (tmp_path / "broken.eml").write_bytes(broken)
    assert (await import_mail(api.support, [tmp_path])).new == 1
    assert await fetch_value("SELECT content FROM raw_messages") == broken


async def test_progress_ends_at_the_end(api: Api, tmp_path: Path) -> None:
    (tmp_path / "old.mbox").write_bytes(mbox_of(*[write_mail(subject=f"Old {n}", at=LONG_AGO) for n in range(450)]))
    told: list[Progress] = []
    await import_mail(api.support, [tmp_path / "old.mbox"], told.append)
    assert [progress.messages for progress in told] == [200, 400, 450]
    assert told[-1].done_bytes == told[-1].total_bytes == (tmp_path / "old.mbox").stat().st_size


async def test_an_import_that_was_cut_short_goes_on_when_it_is_run_again(api: Api, tmp_path: Path) -> None:
    (tmp_path / "old.mbox").write_bytes(mbox_of(*[write_mail(subject=f"Old {n}", at=LONG_AGO) for n in range(450)]))

    def pull_the_plug(progress: Progress) -> None:
        if progress.messages == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await import_mail(api.support, [tmp_path / "old.mbox"], pull_the_plug)
    outcome = await import_mail(api.support, [tmp_path / "old.mbox"])
    assert (outcome.new, outcome.known) == (250, 200)


async def test_a_mailbox_is_found_by_its_address_or_name(api: Api) -> None:
    for name in ("Support@northwind.example", "support", str(api.support)):
        assert (await find_mailbox(name))["id"] == api.support
    with pytest.raises(NotFound, match="There is no mailbox sales@"):
        await find_mailbox("sales@northwind.example")


async def test_shared_archives_are_taken_whole(api: Api) -> None:
    outcome = await import_mail(api.support, [shared_data("imap-imaptest"), shared_data("mime-stalwart") / "maildir"])
    assert outcome.failed == []
    assert outcome.new == await fetch_value("SELECT count(*) FROM messages") > 100


async def test_the_command_tells_what_it_did(tmp_path: Path, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO mailboxes (kind, name, address, default_from_name, reply_bcc) "
        "VALUES ('group', 'Support', 'support@northwind.example', '', '')"
    )
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "old.mbox").write_bytes(mbox_of(write_mail(at=LONG_AGO), write_mail(at=LONG_AGO)))
    (tmp_path / "mail" / "notes.jpg").write_bytes(b"\xff\xd8\0")
    arguments = ["import", "support@northwind.example", os.fspath(tmp_path / "mail")]
    outcome = tandem(tmp_path, *arguments, TANDEM_DATABASE_URL=database_url)
    assert outcome.returncode == 0, outcome.stdout
    assert "2 new messages. 0 were here already." in outcome.stdout
    assert "Files that hold no mail: 1." in outcome.stdout
    assert "notes.jpg" in outcome.stdout
    assert await connection.fetchval("SELECT count(*) FROM messages") == 2
    await connection.close()
    missing = tandem(tmp_path, "import", "support@northwind.example", "gone.mbox", TANDEM_DATABASE_URL=database_url)
    assert missing.returncode == 1
    assert "gone.mbox cannot be read: No such file" in missing.stdout
    assert "Traceback" not in missing.stdout
