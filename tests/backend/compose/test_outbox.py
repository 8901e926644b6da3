"""Send, undo, and what a person decides: before and after a worker has looked at the mail."""

import asyncio
from typing import Any

import pytest

from backend.compose.contracts import Draft, Outgoing
from backend.conversations.contracts import (
    Comment,
    ConversationAdded,
    ConversationGone,
    ConversationPage,
    OutgoingChanged,
)
from backend.database.connection import execute, fetch, fetch_value
from backend.mail.contracts import MailAddress
from backend.mail.raw import load_raw
from backend.mailboxes.contracts import UpdateMailbox
from sync.mime.parse import parse_message
from tests.servers.api import Api
from tests.servers.delivery import deliver, write_mail
from tests.servers.sending import CUSTOMER, Desk


async def frozen(outgoing: Outgoing) -> bytes:
    return await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing.id))


async def test_send_freezes_the_mail_with_a_message_id_of_the_mailboxs_domain(desk: Desk) -> None:
    draft = await desk.new_draft(text="Hello\n\nCarla", bcc=[MailAddress(name="", address="boss@northwind.example")])
    outgoing = await desk.send(draft, undo_seconds=10)
    assert (outgoing.state, outgoing.attempts) == ("queued", 0)
    raw = await frozen(outgoing)
    mail = parse_message(raw)
    assert mail.message_id == outgoing.message_id and outgoing.message_id.endswith("@northwind.example")
    assert mail.from_ is not None and (mail.from_.name, mail.from_.address) == ("Support", "support@northwind.example")
    assert (mail.subject, (mail.text or "").split()) == ("Your bike", ["Hello", "Carla"])
    assert b"boss@" not in raw
    assert [r.address for r in outgoing.recipients] == ["carla@customer.example", "boss@northwind.example"]
    assert (await desk.api.ana.refused("GET", f"/drafts/{draft.id}")).status == 404


async def test_a_reply_names_what_it_answers(desk: Desk) -> None:
    first = write_mail(subject="Order 4711")
    conversation_id = await deliver(desk.api.support, first)
    answered = parse_message(first)
    assert answered.message_id
    later = write_mail(subject="Re: Order 4711", answers=f"<{answered.message_id}>")
    assert await deliver(desk.api.support, later) == conversation_id
    outgoing = await desk.send(await desk.reply_draft(conversation_id))
    mail = parse_message(await frozen(outgoing))
    later_id = parse_message(later).message_id
    assert mail.in_reply_to == (later_id,)
    assert mail.references == (answered.message_id, later_id)


async def test_replies_are_copied_to_the_mailboxs_bcc_address_and_nobody_is_shown_it(desk: Desk) -> None:
    change = UpdateMailbox(reply_bcc="archive@northwind.example", default_from_name="Northwind Support")
    await desk.api.ana.patch(f"/mailboxes/{desk.api.support}", change)
    outgoing = await desk.send(await desk.reply_draft(await deliver(desk.api.support)))
    assert [r.address for r in outgoing.recipients] == ["carla@customer.example", "archive@northwind.example"]
    raw = await frozen(outgoing)
    assert b"archive@" not in raw and b"Northwind Support" in raw


async def test_nobody_to_write_to_is_told_by_the_field(desk: Desk) -> None:
    draft = await desk.new_draft(to=[])
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 422 and "to" in refusal.details["fields"]


async def test_a_mailbox_without_an_account_keeps_the_draft_and_says_what_to_do(desk: Desk) -> None:
    await execute("DELETE FROM mail_accounts")
    draft = await desk.new_draft()
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 422 and "not connected" in refusal.message and refusal.remedy
    assert (await desk.api.ana.get(f"/drafts/{draft.id}", Draft)).text == draft.text


async def test_who_lost_the_mailbox_cannot_send_the_mail_that_they_began(desk: Desk) -> None:
    draft = await desk.new_draft(desk.api.jonas)
    await desk.api.ana.put(
        f"/mailboxes/{desk.api.support}/members", {"member_ids": [desk.api.ana.user_id], "team_ids": []}
    )
    refusal = await desk.api.jonas.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 404


async def test_an_older_version_is_not_sent(desk: Desk) -> None:
    draft = await desk.new_draft()
    await desk.save(desk.api.ana, draft, text="Better words")
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 409 and refusal.details["stored"]["text"] == "Better words"


async def test_two_who_press_send_at_once_send_one_mail(desk: Desk) -> None:
    draft = await desk.reply_draft(await deliver(desk.api.support))
    answers = await asyncio.gather(
        *(
            who.request("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
            for who in (desk.api.ana, desk.api.jonas)
        )
    )
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert sorted(answer.status_code for answer in answers)[1] in (404, 409)
    assert await fetch_value("SELECT count(*) FROM outgoing") == 1


async def test_a_colleagues_answer_since_the_draft_was_begun_is_shown_first(desk: Desk) -> None:
    conversation_id = await deliver(desk.api.support)
    anas, jonas = await desk.reply_draft(conversation_id), await desk.reply_draft(conversation_id, desk.api.jonas)
    await desk.send(anas)
    refusal = await desk.api.jonas.refused("POST", f"/drafts/{jonas.id}/send", {"version": jonas.version})
    assert (refusal.status, refusal.error) == (409, "answered_meanwhile")
    assert [reply["author_id"] for reply in refusal.details["replies"]] == [desk.api.ana.user_id]
    assert (await desk.send(jonas, desk.api.jonas, even_if_answered=True)).state == "queued"


async def test_a_newer_mail_of_the_customer_is_shown_first_unless_it_was_seen(desk: Desk) -> None:
    first = write_mail()
    conversation_id = await deliver(desk.api.support, first)
    draft = await desk.reply_draft(conversation_id)
    answer = write_mail(answers=f"<{parse_message(first).message_id}>", text="Never mind, it is gone.")
    await deliver(desk.api.support, answer)
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.error == "answered_meanwhile"
    assert [mail["snippet"] for mail in refusal.details["arrived"]] == ["Never mind, it is gone."]
    seen = (await desk.detail(conversation_id)).row.last_arrival
    assert (await desk.send(draft, seen_arrival=seen)).state == "queued"


async def test_history_that_is_still_being_fetched_is_no_answer(desk: Desk) -> None:
    first = write_mail()
    conversation_id = await deliver(desk.api.support, first)
    draft = await desk.reply_draft(conversation_id)
    old = write_mail(answers=f"<{parse_message(first).message_id}>", sender="Support <support@northwind.example>")
    old = old.replace(b"Date: ", b"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nX-Date: ", 1)
    await deliver(desk.api.support, old, arrived=False, role="sent")
    assert (await desk.send(draft)).state == "queued"


async def test_undo_gives_the_draft_back_with_its_files_and_nothing_is_sent(desk: Desk) -> None:
    conversation_id = await deliver(desk.api.support)
    draft = await desk.reply_draft(conversation_id, text="Too fast")
    await desk.api.ana.request(
        "POST", f"/drafts/{draft.id}/attachments", files={"file": ("a.txt", b"attached", "text/plain")}
    )
    outgoing = await desk.send(draft, undo_seconds=1)
    back = await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert (back.text, back.kind, back.conversation_id) == ("Too fast", "reply", conversation_id)
    assert [(f.filename, f.size) for f in back.attachments] == [("a.txt", 8)]
    await asyncio.sleep(1.1)
    await asyncio.gather(*await desk.sender.sweep())
    assert await desk.state(outgoing) == "cancelled"
    assert desk.smtp.messages == [] and desk.smtp.commands == []
    again = await desk.send(back)
    assert await fetch_value("SELECT message_id FROM outgoing WHERE id = $1", again.id) != outgoing.message_id


async def test_a_mail_is_not_claimed_while_it_can_be_taken_back(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft(), undo_seconds=30)
    await desk.sender.send(outgoing.id)
    await asyncio.gather(*await desk.sender.sweep())
    assert (await desk.state(outgoing), desk.smtp.commands) == ("queued", [])


async def test_undo_comes_too_late_once_the_mail_has_left(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft())
    assert await desk.attempt(outgoing) == "sent"
    refusal = await desk.api.ana.refused("POST", f"/outbox/{outgoing.id}/undo")
    assert refusal.status == 409 and "left" in refusal.message


async def test_a_new_mail_begins_its_conversation_at_send_and_undo_takes_that_away_again(desk: Desk) -> None:
    api = desk.api
    async with api.serving(), api.live(api.jonas) as jonas, api.live(api.ana) as ana:
        outgoing = await desk.send(await desk.new_draft(), undo_seconds=30)
        row = (await jonas.event(ConversationAdded)).row
        assert (row.id, row.subject, row.outbox) == (outgoing.conversation_id, "Your bike", "queued")
        assert [person.address for person in row.correspondents] == [CUSTOMER.address]
        back = await api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
        assert (await jonas.event(ConversationGone)).conversation_id == outgoing.conversation_id
        assert (await ana.event(ConversationGone)).conversation_id == outgoing.conversation_id
    assert back.conversation_id is None
    page = await api.jonas.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert page.items == []


async def test_undo_leaves_a_conversation_that_holds_more_than_the_mail(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft(), undo_seconds=30)
    await desk.api.jonas.post(f"/conversations/{outgoing.conversation_id}/comments", {"text": "Wait!"}, Comment)
    back = await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert back.conversation_id == outgoing.conversation_id
    detail = await desk.detail(outgoing.conversation_id, desk.api.jonas)
    assert ([draft.text for draft in detail.drafts], detail.outgoing, detail.row.outbox) == (["Hello Carla."], [], "")


async def test_every_change_in_the_outbox_is_told_to_those_who_see_the_conversation(desk: Desk) -> None:
    api = desk.api
    async with api.serving(), api.live(api.jonas) as jonas, api.live(api.mallory) as mallory:
        outgoing = await desk.send(await desk.reply_draft(await deliver(api.support)))
        assert (await jonas.event(OutgoingChanged)).outgoing.state == "queued"
        await desk.attempt(outgoing)
        states = [(await jonas.event(OutgoingChanged)).outgoing.state for _ in range(2)]
        assert states == ["sending", "sent"]
        with pytest.raises(TimeoutError):
            await mallory.event(OutgoingChanged, 0.3)
    assert await api.mallory.get("/outbox", list[Outgoing]) == []
    for path in ("undo", "resolve"):
        body = {"choice": "cancel"} if path == "resolve" else None
        assert (await api.mallory.refused("POST", f"/outbox/{outgoing.id}/{path}", body)).status == 404


async def resolve(desk: Desk, outgoing: Outgoing, choice: str, answer: type = Outgoing) -> Outgoing | Draft:
    return await desk.api.jonas.post(f"/outbox/{outgoing.id}/resolve", {"choice": choice}, answer)


async def failed(desk: Desk) -> Outgoing:
    desk.smtp.misbehave("rcpt", reply="550 5.1.1 No such user", times=1)
    outgoing = await desk.send(await desk.reply_draft(await deliver(desk.api.support), text="Lost words?"))
    assert await desk.attempt(outgoing) == "failed"
    return outgoing


async def unknown(desk: Desk, **mail: Any) -> Outgoing:
    """Accepted by the server, which died before it said so."""
    desk.smtp.misbehave("message", hang_up=True, accept=True, times=1)
    outgoing = await desk.send(await desk.reply_draft(await deliver(desk.api.support)), **mail)
    assert await desk.attempt(outgoing) == "unknown"
    return outgoing


async def test_a_failed_mail_can_be_sent_again_under_the_same_message_id(desk: Desk) -> None:
    outgoing = await failed(desk)
    again = await resolve(desk, outgoing, "send_again")
    assert isinstance(again, Outgoing)
    assert (again.state, again.attempts, again.reason) == ("queued", 0, "")
    assert await desk.attempt(outgoing) == "sent"
    [accepted] = desk.smtp.messages
    assert outgoing.message_id.encode() in accepted.raw


async def test_a_failed_mail_can_be_edited_for_its_text_is_kept(desk: Desk) -> None:
    outgoing = await failed(desk)
    back = await resolve(desk, outgoing, "edit", Draft)
    assert isinstance(back, Draft) and back.text == "Lost words?"
    assert await desk.state(outgoing) == "cancelled"


async def test_a_failed_mail_can_be_given_up(desk: Desk) -> None:
    outgoing = await failed(desk)
    await resolve(desk, outgoing, "cancel")
    detail = await desk.detail(outgoing.conversation_id)
    assert (detail.outgoing, detail.drafts, detail.row.outbox) == ([], [], "")


async def test_an_unknown_mail_can_be_declared_sent(desk: Desk) -> None:
    outgoing = await unknown(desk, then_done=True)
    told = await resolve(desk, outgoing, "was_sent")
    assert isinstance(told, Outgoing) and told.state == "sent"
    detail = await desk.detail(outgoing.conversation_id)
    assert [message.direction for message in detail.messages] == ["incoming", "outgoing"]
    assert detail.row.status == "done"
    assert len(desk.smtp.messages) == 1


async def test_an_unknown_mail_is_sent_again_only_because_a_person_says_so(desk: Desk) -> None:
    outgoing = await unknown(desk)
    await execute("UPDATE outgoing SET next_attempt_at = now()")
    await desk.sender.send(outgoing.id)
    await asyncio.gather(*await desk.sender.sweep())
    assert (await desk.state(outgoing), len(desk.smtp.messages)) == ("unknown", 1)


async def test_what_has_left_or_is_leaving_cannot_be_decided_about(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft())
    await desk.attempt(outgoing)
    for choice in ("send_again", "was_sent", "cancel", "edit"):
        refusal = await desk.api.ana.refused("POST", f"/outbox/{outgoing.id}/resolve", {"choice": choice})
        assert refusal.status == 409
    await execute("UPDATE outgoing SET state = 'sending' WHERE id = $1", outgoing.id)
    refusal = await desk.api.ana.refused("POST", f"/outbox/{outgoing.id}/resolve", {"choice": "edit"})
    assert "at this moment" in refusal.message


async def test_a_mail_that_waits_for_its_next_attempt_can_be_edited(desk: Desk) -> None:
    desk.smtp.misbehave("mail", reply="451 4.3.0 Try again later")
    outgoing = await desk.send(await desk.reply_draft(await deliver(desk.api.support)))
    assert await desk.attempt(outgoing) == "queued"
    back = await resolve(desk, outgoing, "edit", Draft)
    assert isinstance(back, Draft)
    desk.smtp.behave()
    assert await desk.attempt(outgoing) == "cancelled"
    assert desk.smtp.messages == []


async def test_the_outbox_lists_what_has_not_left(api: Api, desk: Desk) -> None:
    outgoing = await failed(desk)
    sent = await desk.send(await desk.new_draft())
    await desk.attempt(sent)
    listed = await api.jonas.get("/outbox", list[Outgoing])
    assert [each.id for each in listed] == [outgoing.id]
    assert [r["state"] for r in await fetch("SELECT state FROM outgoing ORDER BY id")] == ["failed", "sent"]
