"""Send later, and what follows when the mail has left: it waits, can be changed until then, and is checked again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.compose.contracts import Draft, Outgoing, RescheduleOutgoing
from backend.conversations.contracts import ConversationItem, OutgoingChanged
from backend.database.connection import execute, fetch_value
from backend.mail.raw import load_raw
from sync.mime.parse import parse_message
from tests.servers.delivery import deliver, write_mail
from tests.servers.sending import Desk

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


async def sent_later(desk: Desk, at: datetime = TOMORROW, **fields: Any) -> Outgoing:
    draft = await desk.reply_draft(await deliver(desk.api.support))
    return await desk.send(draft, send_at=at, **fields)


async def rounds(desk: Desk) -> None:
    """What the worker does every few seconds."""
    await asyncio.gather(*await desk.sender.sweep())


async def its_moment_comes(outgoing: Outgoing) -> None:
    await execute("UPDATE outgoing SET next_attempt_at = now() WHERE id = $1 AND state = 'scheduled'", outgoing.id)


async def test_a_scheduled_mail_waits_for_its_moment_and_then_leaves(desk: Desk) -> None:
    outgoing = await sent_later(desk)
    assert (outgoing.state, outgoing.undo_until) == ("scheduled", None)
    await rounds(desk)
    await desk.sender.send(outgoing.id)
    assert (await desk.state(outgoing), desk.smtp.commands) == ("scheduled", [])
    await its_moment_comes(outgoing)
    await rounds(desk)
    assert (await desk.state(outgoing), len(desk.smtp.messages)) == ("sent", 1)


async def test_a_scheduled_mail_is_dated_with_the_moment_when_it_leaves(desk: Desk) -> None:
    outgoing = await sent_later(desk)
    assert outgoing.send_at == TOMORROW
    await its_moment_comes(outgoing)
    await rounds(desk)
    assert parse_message(desk.smtp.messages[0].raw).date == TOMORROW


async def test_another_moment_can_be_chosen_and_is_told_to_everybody(desk: Desk) -> None:
    outgoing = await sent_later(desk)
    before = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing"))
    later = TOMORROW + timedelta(days=2)
    api = desk.api
    async with api.serving(), api.live(api.ana) as ana:
        moved = await api.jonas.put(f"/outbox/{outgoing.id}/schedule", RescheduleOutgoing(send_at=later), Outgoing)
        assert (moved.state, moved.send_at) == ("scheduled", later)
        assert (await ana.event(OutgoingChanged)).outgoing == moved
    after = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing"))
    assert parse_message(after).date == later
    assert after.split(b"\r\n", 1)[1] == before.split(b"\r\n", 1)[1]


async def test_it_can_be_sent_now_after_all(desk: Desk) -> None:
    outgoing = await sent_later(desk)
    now = await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "send_again"}, Outgoing)
    assert (now.state, now.send_at) == ("queued", None)
    assert await desk.attempt(outgoing) == "sent"
    date = parse_message(desk.smtp.messages[0].raw).date
    assert date is not None and abs(date - datetime.now(UTC)) < timedelta(minutes=1)


async def test_it_can_be_taken_back_until_it_leaves(desk: Desk) -> None:
    outgoing = await sent_later(desk)
    back = await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert (back.text, back.kind) == (outgoing.text, "reply")
    await execute("UPDATE outgoing SET next_attempt_at = now()")
    await rounds(desk)
    assert (await desk.state(outgoing), desk.smtp.commands) == ("cancelled", [])


async def test_a_mail_that_left_or_was_sent_at_once_has_no_moment_to_change(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft(), undo_seconds=30)
    body = RescheduleOutgoing(send_at=TOMORROW)
    assert (await desk.api.ana.refused("PUT", f"/outbox/{outgoing.id}/schedule", body)).status == 409
    assert (await desk.api.mallory.refused("PUT", f"/outbox/{outgoing.id}/schedule", body)).status == 404


async def test_the_customer_who_writes_before_its_moment_stops_it(desk: Desk) -> None:
    first = write_mail()
    outgoing = await desk.send(await desk.reply_draft(await deliver(desk.api.support, first)), send_at=TOMORROW)
    answer = write_mail(answers=f"<{parse_message(first).message_id}>", text="Never mind, it is gone.")
    await deliver(desk.api.support, answer)
    await its_moment_comes(outgoing)
    await rounds(desk)
    shown = await desk.shown(outgoing)
    assert (shown.state, [came.snippet for came in shown.came]) == ("held", ["Never mind, it is gone."])
    assert desk.smtp.messages == []


async def test_a_moment_that_is_past_or_too_far_is_refused_and_the_draft_is_kept(desk: Desk) -> None:
    draft = await desk.new_draft()
    for moment, words in ((-1, "past"), (400, "year")):
        at = (datetime.now(UTC) + timedelta(days=moment)).isoformat()
        body = {"version": draft.version, "send_at": at}
        refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", body)
        assert refusal.status == 422 and words in refusal.message and refusal.remedy
    assert (await desk.api.ana.get(f"/drafts/{draft.id}", Draft)).version == draft.version


async def test_a_worker_that_died_at_its_moment_leaves_it_to_the_next(desk: Desk) -> None:
    outgoing = await sent_later(desk)
    await its_moment_comes(outgoing)
    await execute(
        "UPDATE outgoing SET state = 'queued', attempts = 1, fence = 1, claimed_until = now() - interval '1 second'"
    )
    await rounds(desk)
    assert (await desk.state(outgoing), len(desk.smtp.messages)) == ("sent", 1)


async def item(desk: Desk, outgoing: Outgoing) -> ConversationItem:
    page = await desk.detail(outgoing.conversation_id)
    return ConversationItem(row=page.row, mark=page.mark)


async def test_who_sends_and_wants_to_be_reminded_is_so_if_nobody_answers(desk: Desk) -> None:
    draft = await desk.reply_draft(await deliver(desk.api.support))
    outgoing = await desk.send(draft, then_remind_at=TOMORROW, then_done=True)
    assert (await item(desk, outgoing)).mark.reminder is None
    assert await desk.attempt(outgoing) == "sent"
    after = await item(desk, outgoing)
    assert after.mark.reminder is not None
    assert (after.mark.reminder.at, after.mark.reminder.if_silent) == (TOMORROW, True)
    assert after.row.status == "done"
    answer = write_mail(answers=f"<{outgoing.message_id}>", text="Thank you!")
    await deliver(desk.api.support, answer)
    assert (await item(desk, outgoing)).mark.reminder is None


async def test_a_mail_that_never_left_reminds_nobody(desk: Desk) -> None:
    draft = await desk.reply_draft(await deliver(desk.api.support))
    outgoing = await desk.send(draft, then_remind_at=TOMORROW, undo_seconds=30)
    await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert (await item(desk, outgoing)).mark.reminder is None


async def test_a_reminder_before_the_mail_leaves_is_refused(desk: Desk) -> None:
    draft = await desk.new_draft()
    body = {
        "version": draft.version,
        "send_at": TOMORROW.isoformat(),
        "then_remind_at": (TOMORROW - timedelta(hours=1)).isoformat(),
    }
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", body)
    assert refusal.status == 422 and "reminded" in refusal.message
