"""Tags are keywords on a real mail server, both ways; another mail program is the second client."""

from collections.abc import AsyncIterator, Callable

import pytest

from backend.conversations.contracts import ConversationDetail, ConversationItem, ConversationPage
from backend.database.connection import fetch_value
from backend.events.record import action
from backend.mail.actions import apply_flags, remove_placements
from backend.mail.placing import arrived_again
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from backend.tags.keywords import keyword_for
from backend.workers.carrying import carry_out
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.post import Post
from tests.servers.sending import connect_account
from tests.servers.smtp import RecordingSmtp


@pytest.fixture
async def post(
    api: Api, private_servers: None, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str
) -> AsyncIterator[Post]:
    account_id = await connect_account(api.support, smtp, dovecot, mail_user)
    yield Post(api, dovecot, mail_user, account_id, api.support)


async def make(person: Member, name: str) -> Tag:
    return await person.post("/tags", SaveTag(name=name), Tag)


async def change(person: Member, conversation_id: int, *, add: Tag | None = None, remove: Tag | None = None) -> None:
    body = ChangeTags(add=[add.id] if add else [], remove=[remove.id] if remove else [])
    await person.put(f"/conversations/{conversation_id}/tags", body, ConversationItem)


async def tags_on(person: Member, conversation_id: int) -> list[int]:
    return (await person.get(f"/conversations/{conversation_id}", ConversationDetail)).row.tag_ids


async def keywords(post: Post, folder: str = "INBOX") -> dict[int, set[str]]:
    """What each message is marked with on the server, besides system flags."""
    return {
        uid: {flag for flag in flags if not flag.startswith("\\")}
        for uid, flags in (await post.dovecot.flags(post.user, folder)).items()
    }


async def told(person: Member, conversation_id: int) -> list[tuple[str, bool]]:
    """What the trail says, and whether a person did it."""
    detail = await person.get(f"/conversations/{conversation_id}", ConversationDetail)
    return [(each.kind, each.actor_id is not None) for each in detail.activities]


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("Warranty case", "Warranty_case"),
        ("Rückgabe: 30 Tage!", "Ruckgabe_30_Tage"),
        ("Гарантия", "tag_7"),
        ("NonJunk", "NonJunk_7"),
        ("Taken", "Taken_7"),
        ("$Label1", "Label1"),
        ("(a%b*c)", "a_b_c"),
    ],
)
def test_a_name_becomes_an_atom(name: str, keyword: str) -> None:
    assert keyword_for(name, 7, {"taken"}) == keyword


async def test_two_names_that_would_be_one_keyword_get_two(api: Api) -> None:
    one, other = await make(api.ana, "Rück gabe"), await make(api.ana, "Ruck-gabe")
    found = [await fetch_value("SELECT keyword FROM tags WHERE id = $1", each.id) for each in (one, other)]
    assert found == ["Ruck_gabe", f"Ruck_gabe_{other.id}"]


async def test_a_tag_marks_the_newest_mail_there_and_taking_it_away_leaves_none(post: Post) -> None:
    conversation_id, tag = await post.arrive(2), await make(post.api.ana, "Warranty case")
    await change(post.api.ana, conversation_id, add=tag)
    await carry_out(post.account_id)
    assert (await keywords(post), await post.open()) == ({1: set(), 2: {"Warranty_case"}}, 0)
    await post.dovecot.set_flags(post.user, "INBOX", "1", "Warranty_case")
    await apply_flags(await post.key(), {1: frozenset({"Warranty_case"})})
    await change(post.api.jonas, conversation_id, remove=tag)
    await carry_out(post.account_id)
    assert (await keywords(post), await post.open()) == ({1: set(), 2: set()}, 0)
    assert await tags_on(post.api.ana, conversation_id) == []


async def test_a_keyword_of_another_program_is_the_tag_until_no_mail_bears_it(post: Post) -> None:
    conversation_id, tag = await post.arrive(2), await make(post.api.ana, "Warranty")
    inbox = await post.key()
    await apply_flags(inbox, {1: frozenset({"warranty"}), 2: frozenset({"Warranty", "\\Seen"})})
    assert await tags_on(post.api.jonas, conversation_id) == [tag.id]
    await apply_flags(inbox, {1: frozenset()})
    assert await tags_on(post.api.jonas, conversation_id) == [tag.id]
    await apply_flags(inbox, {2: frozenset()})
    assert await tags_on(post.api.jonas, conversation_id) == []
    assert await told(post.api.ana, conversation_id) == [("tagged", False), ("untagged", False)]


async def test_unknown_and_well_known_keywords_make_no_tags(post: Post) -> None:
    conversation_id = await post.arrive()
    await make(post.api.ana, "Forwarded")
    words = frozenset({"$Forwarded", "NonJunk", "Forwarded", "$label1", "Later", "$MDNSent"})
    await apply_flags(await post.key(), {1: words})
    assert await tags_on(post.api.ana, conversation_id) == []
    assert len(await post.api.ana.get("/tags", list[Tag])) == 1


async def test_what_is_wished_here_wins_until_the_server_has_confirmed_it(post: Post) -> None:
    conversation_id, tag = await post.arrive(), await make(post.api.ana, "Warranty")
    inbox = await post.key()
    await apply_flags(inbox, {1: frozenset({"Warranty"})})
    await change(post.api.ana, conversation_id, remove=tag)
    await apply_flags(inbox, {1: frozenset()})
    await apply_flags(inbox, {1: frozenset({"Warranty"})})
    assert await tags_on(post.api.ana, conversation_id) == []
    await post.dovecot.set_flags(post.user, "INBOX", "1", "Warranty")
    await carry_out(post.account_id)
    assert (await keywords(post), await tags_on(post.api.ana, conversation_id)) == ({1: set()}, [])
    await apply_flags(inbox, {1: frozenset({"Warranty"})})
    assert await tags_on(post.api.ana, conversation_id) == [tag.id], "then the server is right"


async def test_renaming_and_deleting_are_carried(post: Post) -> None:
    first, second, tag = await post.arrive(), await post.arrive(), await make(post.api.ana, "Warranty")
    for conversation_id in (first, second):
        await change(post.api.ana, conversation_id, add=tag)
    await carry_out(post.account_id)
    await post.api.ana.put(f"/tags/{tag.id}", SaveTag(name="Guarantee"), Tag)
    await carry_out(post.account_id)
    assert (await keywords(post), await post.open()) == ({1: {"Guarantee"}, 2: {"Guarantee"}}, 0)
    assert await tags_on(post.api.ana, first) == [tag.id]
    await apply_flags(await post.key(), {1: frozenset({"Warranty", "Guarantee"})})
    await apply_flags(await post.key(), {1: frozenset()})
    assert await tags_on(post.api.ana, first) == []
    await post.api.ana.delete(f"/tags/{tag.id}")
    await carry_out(post.account_id)
    assert ((await keywords(post))[2], await post.open()) == (set(), 0)


async def test_another_name_of_the_same_letters_changes_nothing_there(post: Post) -> None:
    conversation_id, tag = await post.arrive(), await make(post.api.ana, "Warranty case")
    await change(post.api.ana, conversation_id, add=tag)
    await carry_out(post.account_id)
    await post.api.ana.put(f"/tags/{tag.id}", SaveTag(name="Warranty: case"), Tag)
    assert await post.open() == 0


async def test_old_mail_brings_its_tags_and_tells_nobody(api: Api) -> None:
    tag = await make(api.ana, "Warranty")
    inbox = await Arriving.into(api.support)
    old = write_mail(subject="Old")
    await inbox.deliver(old, arrived=False, flags=["Warranty", "NonJunk"])
    await inbox.deliver(write_mail(subject="New"), flags=["warranty"])
    await inbox.deliver(write_mail(subject="Plain"), flags=["NonJunk"])
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert {item.row.subject: item.row.tag_ids for item in page.items} == {
        "Old": [tag.id],
        "New": [tag.id],
        "Plain": [],
    }
    [number] = [item.row.id for item in page.items if item.row.subject == "Old"]
    assert await told(api.ana, number) == []
    assert await fetch_value("SELECT count(*) FROM notifications") == 0
    await inbox.deliver(write_mail(subject="Re: Old", answers=message_id_of(old)))
    assert await tags_on(api.ana, number) == [tag.id]


async def test_a_tag_stays_when_its_mail_is_deleted_there_and_others_are_left(api: Api) -> None:
    tag = await make(api.ana, "Warranty")
    inbox = await Arriving.into(api.support)
    first = write_mail(subject="Wheel")
    [uid] = await inbox.deliver(first, flags=["Warranty"])
    await inbox.deliver(write_mail(subject="Re: Wheel", answers=message_id_of(first)))
    [number] = [item.row.id for item in (await api.ana.get("/filtered", ConversationPage)).items]
    await inbox.expunge(uid)
    assert await tags_on(api.ana, number) == [tag.id]


async def test_a_mail_that_lost_its_keyword_on_the_way_has_lost_its_tag(post: Post) -> None:
    conversation_id, tag = await post.arrive(), await make(post.api.ana, "Warranty")
    inbox = await post.key()
    await apply_flags(inbox, {1: frozenset({"Warranty"})})
    await remove_placements(inbox, [1])
    assert await tags_on(post.api.ana, conversation_id) == [tag.id]
    [message_id] = await post.ids(conversation_id)
    async with action(None):
        await post.place(message_id, "Archive", 1)
        await arrived_again([message_id])
    assert await tags_on(post.api.ana, conversation_id) == []


async def test_a_server_that_keeps_no_keywords_leaves_the_tag_here(
    api: Api, private_servers: None, smtp: RecordingSmtp, make_dovecot: Callable[..., Dovecot]
) -> None:
    """Dovecot's access lists: whoever may not write flags is told a fixed list of those that stay."""
    dovecot = make_dovecot(settings="mail_plugins = acl\nplugin {\n  acl = vfile\n}")
    post = Post(api, dovecot, "ana", await connect_account(api.support, smtp, dovecot, "ana"), api.support)
    conversation_id, tag = await post.arrive(), await make(api.ana, "Warranty")
    (dovecot.root / "home" / "ana" / "Maildir" / "dovecot-acl").write_text("owner lrstipekxa\n")
    with dovecot.other_client("ana", "INBOX") as client:
        assert b"\\*" not in client.response("PERMANENTFLAGS")[1][0]
    await change(api.ana, conversation_id, add=tag)
    await api.ana.put(f"/conversations/{conversation_id}/read", {"read": True})
    await carry_out(post.account_id)
    assert (await dovecot.flags("ana"), await post.open()) == ({1: frozenset({"\\Seen"})}, 0)
    await apply_flags(await post.key(), {1: frozenset({"\\Seen"})})
    assert await tags_on(api.ana, conversation_id) == [tag.id]
    await change(api.ana, conversation_id, remove=tag)
    await carry_out(post.account_id)
    assert (await post.open(), await tags_on(api.ana, conversation_id)) == (0, [])
