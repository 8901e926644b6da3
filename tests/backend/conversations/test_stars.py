"""Stars: one for everybody who sees the mailbox, the same as the Flagged flag on a real server, both ways."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from backend.conversations.contracts import ConversationDetail, ConversationItem, ConversationPage, SetStar
from backend.database.connection import execute
from backend.mail.actions import apply_flags, recognise, remove_placements
from backend.workers.carrying import carry_out
from sync.types import ListedMessage
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.post import Post
from tests.servers.sending import connect_account
from tests.servers.smtp import RecordingSmtp

FLAGGED = frozenset({"\\Flagged"})


@pytest.fixture
async def post(
    api: Api, private_servers: None, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str
) -> AsyncIterator[Post]:
    account_id = await connect_account(api.support, smtp, dovecot, mail_user)
    yield Post(api, dovecot, mail_user, account_id, api.support)


async def star(person: Member, conversation_id: int, starred: bool = True) -> bool:
    path = f"/conversations/{conversation_id}/star"
    return (await person.put(path, SetStar(starred=starred), ConversationItem)).row.starred


async def starred(person: Member, conversation_id: int) -> bool:
    return (await person.get(f"/conversations/{conversation_id}", ConversationDetail)).row.starred


async def flagged(post: Post, folder: str = "INBOX") -> list[int]:
    return [uid for uid, flags in (await post.dovecot.flags(post.user, folder)).items() if "\\Flagged" in flags]


async def told(person: Member, conversation_id: int) -> list[tuple[str, bool]]:
    """What the trail says of stars, and whether a person did it."""
    detail = await person.get(f"/conversations/{conversation_id}", ConversationDetail)
    return [(each.kind, each.actor_id is not None) for each in detail.activities if "starred" in each.kind]


async def test_a_star_flags_the_newest_mail_there_and_taking_it_away_leaves_none(post: Post) -> None:
    conversation_id = await post.arrive(3)
    assert await star(post.api.ana, conversation_id)
    assert await starred(post.api.jonas, conversation_id), "one star for everybody"
    await carry_out(post.account_id)
    assert (await flagged(post), await post.open()) == ([3], 0)
    await post.dovecot.set_flags(post.user, "INBOX", "1", "\\Flagged")
    await apply_flags(await post.key(), {1: FLAGGED})
    assert not await star(post.api.jonas, conversation_id, False)
    await carry_out(post.account_id)
    assert (await flagged(post), await post.open()) == ([], 0)
    assert not await starred(post.api.ana, conversation_id)
    assert await told(post.api.ana, conversation_id) == [("starred", True), ("unstarred", True)]


async def test_what_another_program_flags_has_a_star_here_until_none_is_flagged(post: Post) -> None:
    conversation_id = await post.arrive(2)
    inbox = await post.key()
    await apply_flags(inbox, {1: FLAGGED, 2: FLAGGED})
    assert await starred(post.api.ana, conversation_id)
    await apply_flags(inbox, {2: frozenset()})
    assert await starred(post.api.ana, conversation_id), "one of its mails is flagged still"
    await apply_flags(inbox, {1: frozenset({"\\Seen"})})
    assert not await starred(post.api.ana, conversation_id)
    assert await told(post.api.ana, conversation_id) == [("starred", False), ("unstarred", False)]


async def test_what_is_wished_here_wins_until_the_server_has_confirmed_it(post: Post) -> None:
    conversation_id = await post.arrive()
    inbox = await post.key()
    await star(post.api.ana, conversation_id)
    await apply_flags(inbox, {1: frozenset({"\\Seen"})})
    assert await starred(post.api.ana, conversation_id)
    await carry_out(post.account_id)
    await apply_flags(inbox, {1: frozenset({"\\Seen"})})
    assert not await starred(post.api.ana, conversation_id), "then the server is right"


async def test_a_star_stays_while_its_mail_is_moved_there(post: Post) -> None:
    conversation_id = await post.arrive()
    inbox = await post.key()
    await apply_flags(inbox, {1: FLAGGED})
    [raw] = (await post.dovecot.messages(post.user)).values()
    header = raw[: raw.index(b"\r\n\r\n") + 4]
    [message_id] = await post.ids(conversation_id)
    await remove_placements(inbox, [1])
    assert await starred(post.api.ana, conversation_id)
    await execute("UPDATE raw_messages SET size = $1", len(raw))
    listed = ListedMessage(uid=2, flags=frozenset(), internal_date=datetime.now(UTC), size=len(raw), header=header)
    assert await recognise(inbox, [listed], arrived=True) == []
    assert not await starred(post.api.ana, conversation_id), "it came without"
    assert message_id in await post.ids(conversation_id)


async def test_a_star_and_a_move_of_the_same_mail_are_both_carried_out(post: Post) -> None:
    conversation_id = await post.arrive()
    await star(post.api.ana, conversation_id)
    await post.status(conversation_id, "done")
    await carry_out(post.account_id)
    assert (await flagged(post, "Archive"), await post.open()) == ([1], 0)
    assert await starred(post.api.ana, conversation_id)


async def test_old_and_new_mail_comes_with_its_stars(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    old, new = write_mail(subject="Old"), write_mail(subject="New")
    await inbox.deliver(old, arrived=False, flags=["\\Flagged"])
    await inbox.deliver(new, flags=["\\Flagged"])
    await inbox.deliver(write_mail(subject="Plain"))
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert {item.row.subject: item.row.starred for item in page.items} == {"Old": True, "New": True, "Plain": False}
    [number] = [item.row.id for item in page.items if item.row.subject == "Old"]
    assert await told(api.ana, number) == [], "history is told to nobody"
    await inbox.deliver(write_mail(subject="Re: Old", answers=message_id_of(old)))
    assert await starred(api.ana, number)


async def test_a_mailbox_without_an_account_has_stars_of_its_own(api: Api) -> None:
    number = await deliver(api.support)
    await execute("DELETE FROM mail_accounts")
    assert await star(api.ana, number)
    assert await starred(api.jonas, number)
    assert not await star(api.jonas, number, False)
    assert await told(api.ana, number) == [("starred", True), ("unstarred", True)]


async def test_many_are_starred_at_once_and_listed_by_the_filter(api: Api) -> None:
    numbers = [await deliver(api.support, write_mail(subject=f"Mail {n}")) for n in range(3)]
    body = {"ids": numbers[:2], "change": {"type": "star", "starred": True}}
    await api.ana.post("/conversations/many", body)
    page = await api.jonas.get("/filtered", ConversationPage, filters='{"starred": true}')
    assert sorted(item.row.id for item in page.items) == numbers[:2]
