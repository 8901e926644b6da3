"""What becomes of a mail that was fetched: stored once, in the conversation where it belongs, told once."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.conversations.contracts import (
    Assign,
    ConversationDetail,
    ConversationPage,
    ConversationRow,
    HistoryStored,
    MessageAdded,
    SetStatus,
    SetVisibility,
)
from backend.database.connection import fetch_value
from backend.mail.actions import StaleFence, forget_folder
from backend.mailboxes.contracts import UpdateMailbox
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail

NOW = datetime.now(UTC)
LATER = NOW + timedelta(minutes=1)


async def rows_of(person: Member, mailbox_id: int, view: str = "open") -> list[ConversationRow]:
    page = await person.get(f"/mailboxes/{mailbox_id}/conversations", ConversationPage, view=view)
    return [item.row for item in page.items]


async def test_a_mail_that_arrives_is_a_conversation_with_its_sender_and_snippet(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.deliver(write_mail(subject="Rear light flickers", text="It goes out on cobbles."))
    [row] = await rows_of(api.ana, api.support)
    assert (row.subject, row.snippet) == ("Rear light flickers", "It goes out on cobbles.")
    assert [person.address for person in row.correspondents] == ["carla@customer.example"]
    assert row.last_arrival == 1


async def test_an_answer_joins_its_conversation(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail(at=NOW - timedelta(hours=1))
    await inbox.deliver(first)
    await inbox.deliver(write_mail(subject="Re: My bike squeaks", answers=message_id_of(first), text="And now?"))
    [row] = await rows_of(api.ana, api.support)
    assert (row.message_count, row.snippet) == (2, "And now?")


async def test_a_late_parent_joins_two_conversations_and_the_old_address_redirects(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    parent = write_mail(subject="Order 87110", at=NOW - timedelta(days=2))
    one = write_mail(subject="About the order", answers=message_id_of(parent), at=NOW - timedelta(days=1))
    other = write_mail(subject="The same again", answers=message_id_of(parent), at=NOW)
    await inbox.deliver(one)
    await inbox.deliver(other)
    survivor, gone = sorted(row.id for row in await rows_of(api.ana, api.support))
    await api.ana.post(f"/conversations/{gone}/comments", {"text": "Asked the factory."})
    await inbox.deliver(parent)
    [row] = await rows_of(api.ana, api.support)
    assert (row.id, row.message_count, row.comment_count) == (survivor, 3, 1)
    assert row.subject == "Order 87110"
    detail = await api.ana.get(f"/conversations/{gone}", ConversationDetail)
    assert detail.row.id == survivor
    assert [comment.text for comment in detail.comments] == ["Asked the factory."]


async def test_the_same_mail_in_two_folders_is_one_message(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    other_folder = await Arriving.into(api.support, role="archive")
    raw = write_mail()
    await inbox.deliver(raw)
    await other_folder.deliver(raw)
    [row] = await rows_of(api.ana, api.support)
    assert row.message_count == 1
    assert await fetch_value("SELECT count(*) FROM placements") == 2


async def test_the_same_message_id_with_other_content_stays_two_messages(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.deliver(write_mail(message_id="<one@customer.example>", text="The real one."))
    await inbox.deliver(write_mail(message_id="<one@customer.example>", text="A forged one."))
    assert await fetch_value("SELECT count(*) FROM messages") == 2


async def test_a_new_mail_opens_what_was_done(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail()
    await inbox.deliver(first)
    [row] = await rows_of(api.ana, api.support)
    await api.ana.put(f"/conversations/{row.id}/status", SetStatus(status="done"))
    assert await rows_of(api.ana, api.support) == []
    await inbox.deliver(write_mail(subject="Re: My bike squeaks", answers=message_id_of(first)))
    assert [row.id for row in await rows_of(api.ana, api.support)] == [row.id]


async def test_history_reopens_nothing_is_read_and_is_one_event(served: Api) -> None:
    inbox = await Arriving.into(served.support)
    first = write_mail(at=NOW - timedelta(days=30))
    await inbox.deliver(first, arrived=False)
    [row] = await rows_of(served.ana, served.support)
    await served.ana.put(f"/conversations/{row.id}/status", SetStatus(status="done"))
    async with served.live(served.ana) as live:
        old = [write_mail(subject=f"Old {n}", at=NOW - timedelta(days=20)) for n in range(30)]
        answer = write_mail(subject="Re: My bike squeaks", answers=message_id_of(first), at=NOW - timedelta(days=29))
        await inbox.deliver(*old, answer, arrived=False)
        assert (await live.event(HistoryStored)).messages == 31
    assert not [frame for frame in live.frames if isinstance(getattr(frame, "event", None), MessageAdded)]
    assert row.id not in [each.id for each in await rows_of(served.ana, served.support)]
    counts = await served.ana.get("/counts")
    assert [each["unread"] for each in counts["mailboxes"]] == [0]


async def test_our_own_mail_in_the_sent_folder_is_outgoing_and_unread_for_nobody(api: Api) -> None:
    sent = await Arriving.into(api.support, role="sent")
    await sent.deliver(write_mail(sender="Support <support@northwind.example>", to="carla@customer.example"))
    [row] = await rows_of(api.ana, api.support)
    assert (row.last_direction, row.last_arrival) == ("outgoing", 0)
    assert [person.address for person in row.correspondents] == ["carla@customer.example"]


async def test_a_stranger_who_names_a_private_conversation_does_not_get_into_it(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail()
    await inbox.deliver(first)
    [row] = await rows_of(api.ana, api.support)
    await api.ana.put(f"/conversations/{row.id}/visibility", SetVisibility(visibility="private"))
    await inbox.deliver(
        write_mail(sender="Eve <eve@elsewhere.example>", subject="Re: My bike squeaks", answers=message_id_of(first))
    )
    await inbox.deliver(write_mail(subject="Re: My bike squeaks", answers=message_id_of(first), text="It is me."))
    rows = {each.id: each.message_count for each in await rows_of(api.ana, api.support)}
    assert rows[row.id] == 2
    assert len(rows) == 2


async def test_private_by_default_is_confidential_when_a_member_is_named(api: Api) -> None:
    await api.ana.patch(f"/mailboxes/{api.support}", UpdateMailbox(private_by_default=True))
    inbox = await Arriving.into(api.support)
    await inbox.deliver(write_mail(subject="To all"))
    await inbox.deliver(write_mail(subject="To Jonas", cc="jonas@northwind.example"))
    seen = {row.subject: row.visibility for row in await rows_of(api.jonas, api.support)}
    assert seen == {"To all": "private", "To Jonas": "confidential"}
    assert [row.subject for row in await rows_of(api.ana, api.support)] == ["To all"]


async def test_a_mail_deleted_elsewhere_moves_its_conversation_to_the_trash(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    [uid] = await inbox.deliver(write_mail())
    await inbox.expunge(uid)
    assert await rows_of(api.ana, api.support) == []
    [row] = await rows_of(api.ana, api.support, "trash")
    detail = await api.ana.get(f"/conversations/{row.id}", ConversationDetail)
    assert len(detail.messages) == 1, "what was in the conversation can still be read there"


async def test_one_of_several_mails_deleted_elsewhere_is_shown_no_more(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail()
    await inbox.deliver(first)
    [uid] = await inbox.deliver(write_mail(subject="Re: My bike squeaks", answers=message_id_of(first)))
    await inbox.expunge(uid)
    [row] = await rows_of(api.ana, api.support)
    assert row.message_count == 1


async def test_after_a_change_of_uidvalidity_messages_are_recognised_not_doubled(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    raws = [write_mail(subject=f"Mail {n}") for n in range(5)]
    await inbox.deliver(*raws)
    await forget_folder(inbox.folder)
    await inbox.deliver(*raws, arrived=False)
    assert await fetch_value("SELECT count(*) FROM messages") == 5
    assert await fetch_value("SELECT count(*) FROM placements") == 5


async def test_in_a_personal_mailbox_seen_on_the_server_is_read_here(api: Api) -> None:
    inbox = await Arriving.into(api.toms_mailbox)
    [uid] = await inbox.deliver(write_mail(to="tom@northwind.example"))
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 1
    await inbox.flag(uid, "\\Seen")
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 0
    await inbox.flag(uid)
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 1


async def test_in_a_group_mailbox_a_foreign_seen_changes_nobody(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    [uid] = await inbox.deliver(write_mail())
    await inbox.flag(uid, "\\Seen")
    assert (await api.ana.get("/counts"))["mailboxes"][0]["unread"] == 1


async def test_a_worker_whose_lease_went_elsewhere_stores_nothing(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.lose_lease()
    with pytest.raises(StaleFence):
        await inbox.deliver(write_mail())
    assert await fetch_value("SELECT count(*) FROM messages") == 0


async def test_a_date_in_the_future_does_not_keep_a_mail_on_top(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.deliver(write_mail(subject="From the future", at=NOW + timedelta(days=400)), received_at=NOW)
    await inbox.deliver(
        write_mail(subject="Today", at=NOW + timedelta(minutes=1)), received_at=NOW + timedelta(minutes=1)
    )
    assert [row.subject for row in await rows_of(api.ana, api.support)] == ["Today", "From the future"]


async def test_a_mail_to_two_mailboxes_says_where_else_it_is(api: Api) -> None:
    raw = write_mail(cc="tom@northwind.example")
    await (await Arriving.into(api.support)).deliver(raw)
    toms = await Arriving.into(api.toms_mailbox)
    await toms.deliver(raw)
    [support] = await rows_of(api.ana, api.support)
    detail = await api.ana.get(f"/conversations/{support.id}", ConversationDetail)
    assert detail.also_in == [], "Ana cannot open Tom's mailbox, so she is not told"
    [own] = await rows_of(api.tom, api.toms_mailbox)
    assert (await api.tom.get(f"/conversations/{own.id}", ConversationDetail)).also_in == []


async def test_a_large_message_lies_in_the_blob_store_and_reads_the_same(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    text = "A long story.\n" * 30_000
    raw = write_mail(text=text)
    await inbox.deliver(raw)
    [row] = await rows_of(api.ana, api.support)
    detail = await api.ana.get(f"/conversations/{row.id}", ConversationDetail)
    answer = await api.ana.request("GET", f"/messages/{detail.messages[0].id}/raw")
    assert answer.content == raw
    assert await fetch_value("SELECT content IS NULL FROM raw_messages") is True


async def test_assigning_survives_a_joining(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    parent = write_mail(at=NOW - timedelta(days=2))
    await inbox.deliver(write_mail(subject="One", answers=message_id_of(parent), at=NOW - timedelta(days=1)))
    await inbox.deliver(write_mail(subject="Two", answers=message_id_of(parent)))
    second = max(row.id for row in await rows_of(api.ana, api.support))
    await api.ana.put(f"/conversations/{second}/assignee", Assign(user_id=api.jonas.user_id))
    await inbox.deliver(parent)
    [row] = await rows_of(api.ana, api.support)
    assert row.assignee_id == api.jonas.user_id
