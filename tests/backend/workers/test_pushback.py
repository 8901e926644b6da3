"""What is done here reaches the mail server: the copy in Sent, read marks; and what the Sent folder tells."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from backend.compose.contracts import Outgoing
from backend.database.connection import execute, fetch_value
from backend.jobs import TryAgain
from backend.workers import pushback
from sync.mime.parse import parse_message
from tests.servers.api import Api, Member
from tests.servers.delivery import write_mail
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

    async def arrive(self, number: int = 1) -> int:
        """Mails of one conversation lie in the Inbox, here and there; answers the conversation."""
        conversation_id = await fetch_value(
            "INSERT INTO conversations (mailbox_id, subject, correspondents, snippet, addressed, last_arrival) "
            "VALUES ($1, 'Bike', '[]', '', '{}', $2) RETURNING id",
            self.mailbox_id,
            number,
        )
        await self.dovecot.append(self.user, "INBOX", *(write_mail() for _ in range(number)))
        with self.dovecot.other_client(self.user) as client:
            answer = client.status("INBOX", "(UIDVALIDITY)")[1][0]
        validity = int(answer.split(b"UIDVALIDITY ")[1].split(b")")[0])
        folder_id = await fetch_value(
            "INSERT INTO folders (account_id, name, role, uid_validity) VALUES ($1, 'INBOX', 'inbox', $2) RETURNING id",
            self.account_id,
            validity,
        )
        for uid, raw in (await self.dovecot.messages(self.user)).items():
            await self._place(conversation_id, folder_id, uid, raw)
        return conversation_id

    async def _place(self, conversation_id: int, folder_id: int, uid: int, raw: bytes) -> None:
        await execute(
            "INSERT INTO raw_messages (digest, size, content) VALUES ($1, $2, $3)", f"raw{uid}", len(raw), raw
        )
        message_id = await fetch_value(
            "INSERT INTO messages (mailbox_id, conversation_id, raw_digest, content_digest, message_id, direction, "
            "subject, snippet, body_text, arrival, date) VALUES ($1, $2, $3, $3, $3, 'incoming', '', '', '', $4, "
            "now() + $4::bigint * interval '1 second') RETURNING id",
            self.mailbox_id,
            conversation_id,
            f"raw{uid}",
            uid,
        )
        await execute(
            "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) "
            "VALUES ($1, $2, $3, '[]', false, 1)",
            folder_id,
            uid,
            message_id,
        )

    async def seen(self) -> list[int]:
        return [uid for uid, flags in (await self.dovecot.flags(self.user)).items() if "\\Seen" in flags]


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


async def test_the_first_member_who_reads_a_group_mailbox_marks_the_mail_seen(post: Post) -> None:
    conversation_id = await post.arrive(2)
    await pushback.push_seen(conversation_id, True, post.desk.api.jonas.user_id)
    assert await post.seen() == [1, 2]
    await pushback.push_seen(conversation_id, False, post.desk.api.jonas.user_id)
    assert await post.seen() == [1, 2]


async def personal(api: Api, smtp: RecordingSmtp, dovecot: Dovecot, user: str) -> tuple[Post, Member]:
    account_id = await connect_account(api.toms_mailbox, smtp, dovecot, user)
    return Post(Desk.__new__(Desk), dovecot, user, account_id, api.toms_mailbox), api.tom


async def test_in_a_personal_mailbox_read_and_unread_go_both_ways(
    api: Api, private_servers: None, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str
) -> None:
    post, tom = await personal(api, smtp, dovecot, mail_user)
    conversation_id = await post.arrive(2)
    await tom.put(f"/conversations/{conversation_id}/read", {"read": True})
    await pushback.push_seen(conversation_id, True, tom.user_id)
    assert await post.seen() == [1, 2]
    await tom.put(f"/conversations/{conversation_id}/read", {"read": False})
    await pushback.push_seen(conversation_id, False, tom.user_id)
    assert await post.seen() == [1]


async def test_of_two_jobs_in_the_wrong_order_both_do_what_is_wanted_now(
    api: Api, private_servers: None, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str
) -> None:
    post, tom = await personal(api, smtp, dovecot, mail_user)
    conversation_id = await post.arrive(1)
    await tom.put(f"/conversations/{conversation_id}/read", {"read": False})
    await tom.put(f"/conversations/{conversation_id}/read", {"read": True})
    await pushback.push_seen(conversation_id, True, tom.user_id)
    await pushback.push_seen(conversation_id, False, tom.user_id)
    assert await post.seen() == [1]


async def test_uids_of_another_numbering_are_not_touched(post: Post) -> None:
    conversation_id = await post.arrive(1)
    await execute("UPDATE folders SET uid_validity = uid_validity - 1")
    with pytest.raises(TryAgain):
        await pushback.push_seen(conversation_id, True, post.desk.api.ana.user_id)
    assert await post.seen() == []
