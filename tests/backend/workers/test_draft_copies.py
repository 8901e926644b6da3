"""Drafts on the mail server: what is written here stands in the Drafts folder there, and the other way round."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from backend.compose.contracts import Draft
from backend.conversations.contracts import ConversationDetail
from backend.database.connection import execute, fetch, fetch_value
from backend.mail.contracts import MailAddress
from backend.workers.account_lease import Lease
from backend.workers.account_store import PostgresAccountStore
from backend.workers.draft_copies import keep_drafts
from sync.imap.connection import open_connection
from sync.imap.drafts import DraftsFolder
from sync.mime.message import ParsedMessage
from sync.mime.parse import parse_message
from sync.types import DRAFT, SEEN, FolderInfo
from tests.servers.api import Api
from tests.servers.arriving import message_id_of
from tests.servers.delivery import deliver, write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.sending import CUSTOMER, Desk, connect_account
from tests.servers.smtp import RecordingSmtp

pytestmark = pytest.mark.usefixtures("private_servers")
MERTA = b"From: Merta <merta@customer.example>\r\nTo: support@northwind.example\r\n"


@dataclass
class Drafts:
    """Support's Drafts folder on a fresh account, and the same as another mail program sees it."""

    api: Api
    desk: Desk
    dovecot: Dovecot
    user: str
    account_id: int
    folder: DraftsFolder

    async def keep(self) -> None:
        """The job runs, half a minute after the last edit."""
        await execute("UPDATE drafts SET updated_at = updated_at - interval '1 minute'")
        await keep_drafts(self.account_id)

    async def look(self) -> None:
        """The watcher looks at the folder."""
        connection = await open_connection(self.dovecot.login(self.user))
        try:
            await self.folder.look(connection, "Drafts")
        finally:
            await connection.close()

    async def there(self) -> list[ParsedMessage]:
        return [parse_message(raw) for raw in (await self.dovecot.messages(self.user, "Drafts")).values()]

    async def write_there(self, raw: bytes, *, instead: bool = False) -> None:
        """Another program saves a draft; `instead` of those that stand there."""
        old = await self.dovecot.messages(self.user, "Drafts")
        await self.dovecot.append(self.user, "Drafts", raw, flags=f"({DRAFT} {SEEN})")
        if instead:
            await self.dovecot.expunge(self.user, "Drafts", ",".join(map(str, old)))

    async def here(self) -> list[Draft]:
        return await self.api.ana.get("/drafts", list[Draft])


@pytest.fixture
async def drafts(desk: Desk, api: Api, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str) -> AsyncIterator[Drafts]:
    account_id = await connect_account(api.support, smtp, dovecot, mail_user)
    fence = await fetch_value("SELECT fence FROM mail_accounts WHERE id = $1", account_id)
    store = PostgresAccountStore(Lease(account_id, api.support, fence))
    await execute("DELETE FROM folders WHERE account_id = $1", account_id)
    await store.folders_found(
        [FolderInfo("INBOX", "INBOX", None, "inbox"), FolderInfo("Drafts", "Drafts", None, "drafts")]
    )
    yield Drafts(api, desk, dovecot, mail_user, account_id, DraftsFolder(store))


async def test_what_is_written_here_stands_there_half_a_minute_after_the_last_edit(drafts: Drafts) -> None:
    bcc = MailAddress(name="", address="boss@northwind.example")
    await drafts.desk.new_draft(text="Hello Carla,\nit is ready.", bcc=[bcc])
    await keep_drafts(drafts.account_id)
    assert await drafts.there() == []
    await drafts.keep()
    [copy] = await drafts.there()
    assert (copy.subject, copy.text) == ("Your bike", "Hello Carla,\nit is ready.\n")
    assert [each.address for each in (*copy.to, *copy.bcc)] == [CUSTOMER.address, bcc.address]
    assert await drafts.dovecot.flags(drafts.user, "Drafts") == {1: frozenset({DRAFT, SEEN})}


async def test_a_newer_version_takes_the_place_of_the_older(drafts: Drafts) -> None:
    draft = await drafts.desk.new_draft(text="One.")
    await drafts.keep()
    draft = await drafts.desk.save(drafts.api.ana, draft, text="Two.")
    await drafts.keep()
    await drafts.keep()
    assert [each.text for each in await drafts.there()] == ["Two.\n"]


async def test_a_worker_that_dies_after_putting_it_there_puts_it_there_once(drafts: Drafts) -> None:
    await drafts.desk.new_draft(text="One.")
    await drafts.keep()
    await execute("UPDATE draft_copies SET uid = NULL, uid_validity = 0")  # it could not note where
    await drafts.keep()
    assert [each.text for each in await drafts.there()] == ["One.\n"]


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "thrown away"])
async def test_it_leaves_the_server_when_it_is_sent_or_thrown_away_here(drafts: Drafts, sent: bool) -> None:
    draft = await drafts.desk.new_draft()
    await drafts.keep()
    if sent:
        await drafts.desk.send(draft)
    else:
        await drafts.api.ana.delete(f"/drafts/{draft.id}")
    await drafts.keep()
    assert await drafts.there() == []
    assert await fetch("SELECT * FROM draft_copies") == []


async def test_what_we_put_there_is_not_taken_for_another_draft(drafts: Drafts) -> None:
    draft = await drafts.desk.new_draft()
    await drafts.keep()
    await drafts.look()
    await execute("UPDATE draft_copies SET uid = NULL")  # it is met before the job could note where it stands
    drafts.folder = DraftsFolder(drafts.folder.store)
    await drafts.look()
    assert [(each.id, each.version) for each in await drafts.here()] == [(draft.id, draft.version)]


async def test_what_is_edited_there_is_edited_here(drafts: Drafts) -> None:
    half = MailAddress(name="", address="mert")
    draft = await drafts.desk.new_draft(text="One.", to=[CUSTOMER, half])
    await drafts.keep()
    [copy] = (await drafts.dovecot.messages(drafts.user, "Drafts")).values()
    await drafts.write_there(copy.replace(b"One.", b"One, and more."), instead=True)
    await drafts.look()
    [now] = await drafts.here()
    assert (now.id, now.text, now.version) == (draft.id, "One, and more.", draft.version + 1)
    assert now.to == [CUSTOMER, half]  # what no header can carry stays here
    await drafts.keep()
    assert len(await drafts.there()) == 1


async def test_what_was_edited_on_both_sides_is_there_twice(drafts: Drafts) -> None:
    draft = await drafts.desk.new_draft(text="One.")
    await drafts.keep()
    [copy] = (await drafts.dovecot.messages(drafts.user, "Drafts")).values()
    await drafts.write_there(copy.replace(b"One.", b"There."), instead=True)
    await drafts.desk.save(drafts.api.ana, draft, text="Here.")
    await drafts.look()
    assert sorted(each.text for each in await drafts.here()) == ["Here.", "There."]
    await drafts.keep()
    await drafts.look()
    assert sorted(each.text or "" for each in await drafts.there()) == ["Here.\n", "There.\n"]


async def test_a_draft_begun_there_is_a_draft_here(drafts: Drafts) -> None:
    html = (
        b"Message-ID: <begun@elsewhere.example>\r\nSubject: Tyres\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>We have <b>two</b>.</p><script>alert(1)</script>\r\n"
    )
    await drafts.write_there(b"From: support@northwind.example\r\nTo: carla@customer.example\r\n" + html)
    await drafts.look()
    [begun] = await drafts.here()
    assert (begun.kind, begun.subject, begun.text) == ("new", "Tyres", "We have two.")
    assert begun.html is not None
    assert "<b>two</b>" in begun.html
    assert "script" not in begun.html
    assert [each.address for each in begun.to] == ["carla@customer.example"]
    sent = await drafts.desk.send(begun)
    await drafts.keep()
    assert (sent.subject, await drafts.there()) == ("Tyres", [])


async def test_an_answer_begun_there_stands_in_its_conversation(drafts: Drafts) -> None:
    mail = write_mail(subject="Saddle")
    conversation_id = await deliver(drafts.api.support, mail)
    head = f"In-Reply-To: {message_id_of(mail)}\r\nMessage-ID: <answer@elsewhere.example>\r\nSubject: Re: Saddle\r\n"
    await drafts.write_there(b"From: support@northwind.example\r\n" + head.encode() + b"\r\nIt is here.\r\n")
    await drafts.look()
    seen = await drafts.api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)
    assert [(each.kind, each.text) for each in seen.drafts] == [("reply", "It is here.")]


async def test_what_is_thrown_away_there_is_thrown_away_here_unless_it_was_changed(drafts: Drafts) -> None:
    gone, changed = await drafts.desk.new_draft(text="One."), await drafts.desk.new_draft(text="Two.")
    await drafts.keep()
    await drafts.desk.save(drafts.api.ana, changed, text="Two, changed.")
    await drafts.dovecot.expunge(drafts.user, "Drafts", "1:*")
    await drafts.look()
    assert [each.text for each in await drafts.here()] == ["Two, changed."]
    assert (await drafts.api.ana.refused("GET", f"/drafts/{gone.id}")).status == 404


async def test_mail_that_somebody_dragged_there_is_left_alone(drafts: Drafts) -> None:
    received = b"Received: from shop by mx; Mon, 1 Jan 2024 10:00:00 +0000\r\n" + MERTA
    await drafts.dovecot.append(drafts.user, "Drafts", received + b"Subject: Hello\r\n\r\nHi.\r\n")
    await drafts.look()
    await drafts.keep()
    assert await drafts.here() == []
    assert [each.subject for each in await drafts.there()] == ["Hello"]


async def test_numbers_that_begin_anew_change_nothing(drafts: Drafts) -> None:
    draft = await drafts.desk.new_draft(text="One.")
    await drafts.keep()
    await drafts.look()
    [copy] = (await drafts.dovecot.messages(drafts.user, "Drafts")).values()
    await drafts.dovecot.delete_folder(drafts.user, "Drafts")  # as a restored mail store: the same under new numbers
    await drafts.dovecot.create(drafts.user, "Drafts")
    await drafts.dovecot.append(drafts.user, "Drafts", copy, flags=f"({DRAFT} {SEEN})")
    await drafts.look()
    assert [(each.id, each.version) for each in await drafts.here()] == [(draft.id, draft.version)]
    await drafts.desk.save(drafts.api.ana, draft, text="Two.")
    await drafts.keep()
    assert [each.text for each in await drafts.there()] == ["Two.\n"]
