"""What is done here reaches the mail server: the copy in Sent, read marks; and what the Sent folder tells."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from backend.compose.contracts import Outgoing
from backend.database.connection import execute, fetch_value
from backend.jobs import TryAgain
from backend.workers import pushback
from sync.mime.parse import parse_message
from tests.servers.dovecot import Dovecot
from tests.servers.sending import Desk, connect_account
from tests.servers.smtp import RecordingSmtp


@dataclass
class Post:
    """A mailbox whose account is a fresh one on Dovecot."""

    desk: Desk
    dovecot: Dovecot
    user: str
    account_id: int
    mailbox_id: int

    async def in_sent(self) -> list[str | None]:
        return [parse_message(raw).message_id for raw in (await self.dovecot.messages(self.user, "Sent")).values()]


@pytest.fixture
async def post(desk: Desk, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str) -> AsyncIterator[Post]:
    account_id = await connect_account(desk.api.support, smtp, dovecot, mail_user)
    yield Post(desk, dovecot, mail_user, account_id, desk.api.support)


async def sent(post: Post) -> Outgoing:
    outgoing = await post.desk.send(await post.desk.new_draft())
    assert await post.desk.attempt(outgoing) == "sent"
    return outgoing


async def test_the_copy_stands_in_sent_once_however_often_the_job_runs(post: Post) -> None:
    outgoing = await sent(post)
    await pushback.store_sent_copy(outgoing.id)
    await execute("UPDATE outgoing SET sent_copy = 'waiting'")  # the worker died before it could note it
    await pushback.store_sent_copy(outgoing.id)
    await pushback.store_sent_copy(outgoing.id)
    assert await post.in_sent() == [outgoing.message_id]
    [raw] = (await post.dovecot.messages(post.user, "Sent")).values()
    assert raw == post.desk.smtp.messages[0].raw
    assert await post.dovecot.flags(post.user, "Sent") == {1: frozenset({"\\Seen"})}


async def test_a_server_that_keeps_the_copy_itself_gets_no_second_one(post: Post) -> None:
    outgoing = await sent(post)
    await post.dovecot.append(post.user, "Sent", post.desk.smtp.messages[0].raw)
    await pushback.store_sent_copy(outgoing.id)
    assert await post.in_sent() == [outgoing.message_id]


async def test_a_provider_that_files_what_it_sends_is_given_time_to_do_so(
    post: Post, make_dovecot: Callable[..., Dovecot]
) -> None:
    gmail = make_dovecot(settings="protocol imap {\n  imap_capability = +X-GM-EXT-1\n}\n")
    await connect_account(post.mailbox_id, post.desk.smtp, gmail, "ana")
    outgoing = await sent(post)
    await pushback.store_sent_copy(outgoing.id)
    assert (await gmail.messages("ana", "Sent"), await copy_is(outgoing)) == ({}, "waiting")
    assert await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'store_sent_copies'") == 2
    await gmail.append("ana", "Sent", post.desk.smtp.messages[0].raw)
    await pushback.store_sent_copy(outgoing.id)
    assert (len(await gmail.messages("ana", "Sent")), await copy_is(outgoing)) == (1, "stored")


async def test_a_provider_that_did_not_file_it_after_all_gets_a_copy(
    post: Post, make_dovecot: Callable[..., Dovecot]
) -> None:
    gmail = make_dovecot(settings="protocol imap {\n  imap_capability = +X-GM-EXT-1\n}\n")
    await connect_account(post.mailbox_id, post.desk.smtp, gmail, "ana")
    outgoing = await sent(post)
    await execute("UPDATE outgoing SET sent_at = now() - interval '3 minutes'")
    await pushback.store_sent_copy(outgoing.id)
    assert (len(await gmail.messages("ana", "Sent")), await copy_is(outgoing)) == (1, "stored")


async def copy_is(outgoing: Outgoing) -> str:
    return await fetch_value("SELECT sent_copy FROM outgoing WHERE id = $1", outgoing.id)


async def test_a_server_out_of_reach_is_asked_again_later_in_words_for_an_admin(post: Post) -> None:
    outgoing = await sent(post)
    await execute("UPDATE mail_accounts SET imap_port = 1")
    with pytest.raises(TryAgain, match="nothing answers on port 1"):
        await pushback.store_sent_copy(outgoing.id)
    assert await fetch_value("SELECT sent_copy FROM outgoing") == "waiting"


async def test_the_message_is_stored_by_the_job_if_it_could_not_be_at_once(post: Post) -> None:
    outgoing = await sent(post)
    await execute("DELETE FROM messages")
    await pushback.store_sent_copy(outgoing.id)
    assert [m.direction for m in (await post.desk.detail(outgoing.conversation_id)).messages] == ["outgoing"]


async def lost(post: Post) -> Outgoing:
    post.desk.smtp.misbehave("message", hang_up=True, accept=True, times=1)
    outgoing = await post.desk.send(await post.desk.new_draft())
    assert await post.desk.attempt(outgoing) == "unknown"
    return outgoing


async def test_an_unknown_mail_that_stands_in_the_sent_folder_was_sent(post: Post) -> None:
    outgoing = await lost(post)
    await post.dovecot.append(post.user, "Sent", post.desk.smtp.messages[0].raw)
    await pushback.settle_unknown(outgoing.id, look=1)
    assert await post.desk.state(outgoing) == "sent"
    detail = await post.desk.detail(outgoing.conversation_id)
    assert (len(detail.messages), detail.outgoing) == (1, [])


async def test_an_unknown_mail_that_does_not_stand_there_stays_for_a_person(post: Post) -> None:
    outgoing = await lost(post)
    for look in range(1, len(pushback.LOOKS) + 1):
        await pushback.settle_unknown(outgoing.id, look=look)
    assert await post.desk.state(outgoing) == "unknown"
    looks = await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'settle_unknown'")
    assert looks == len(pushback.LOOKS)  # the first, and one after each but the last
