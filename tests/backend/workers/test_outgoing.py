"""One attempt at sending: every outcome at every stage of the dialogue with a real SMTP server."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from backend.compose.actions import many, results, transitions
from backend.compose.contracts import Draft, Outgoing
from backend.database.connection import execute, fetch, fetch_value
from backend.mail.contracts import MailAddress
from backend.notifications.contracts import NotificationPage
from backend.workers import outgoing as outgoing_module
from backend.workers.outgoing import Sender
from sync.mime.parse import parse_message
from tests.servers.delivery import deliver, write_mail
from tests.servers.sending import Desk
from tests.servers.smtp import RecordingSmtp, Stage

BOB = MailAddress(name="Bob", address="bob@customer.example")


async def sent_by(desk: Desk, **fields: Any) -> Outgoing:
    return await desk.send(await desk.reply_draft(await deliver(desk.api.support)), **fields)


async def jobs(name: str) -> int:
    return await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", name)


async def told(desk: Desk) -> list[str]:
    page = await desk.api.ana.get("/notifications", NotificationPage)
    failed = [item for item in page.items if item.kind == "failed_send"]
    assert all(item.outgoing_id and item.path.endswith(f"&at=o{item.outgoing_id}") for item in failed)
    return [item.text for item in failed]


async def test_an_accepted_mail_stands_in_its_conversation_once(desk: Desk) -> None:
    outgoing = await sent_by(desk, then_done=True)
    assert await desk.attempt(outgoing) == "sent"
    [accepted] = desk.smtp.messages
    assert accepted.sender == "support@northwind.example"
    assert accepted.recipients == ("carla@customer.example",)
    mail = parse_message(accepted.raw)
    assert mail.message_id == outgoing.message_id
    detail = await desk.detail(outgoing.conversation_id)
    assert [message.author_id for message in detail.messages] == [None, desk.api.ana.user_id]
    assert (detail.row.status, detail.row.last_direction, detail.row.outbox) == ("done", "outgoing", "")
    assert detail.outgoing == []
    assert await jobs("store_sent_copies") == 1
    await desk.attempt(outgoing)
    assert len(desk.smtp.messages) == 1


@pytest.mark.parametrize("stage", ["connect", "ehlo", "auth", "mail", "rcpt", "data"])
async def test_a_connection_lost_before_the_text_is_tried_again_by_itself(desk: Desk, stage: Stage) -> None:
    desk.smtp.misbehave(stage, hang_up=True, times=1)
    outgoing = await sent_by(desk)
    assert await desk.attempt(outgoing) == "queued"
    shown = await desk.shown(outgoing)
    assert shown.reason and shown.remedy and shown.attempts == 1
    assert shown.next_attempt_at is not None
    assert await desk.attempt(outgoing) == "sent"
    assert len(desk.smtp.messages) == 1
    assert await told(desk) == []


@pytest.mark.parametrize("stage", ["body", "message"])
async def test_a_connection_lost_with_the_text_under_way_is_unknown_and_a_person_is_told(
    desk: Desk, stage: Stage
) -> None:
    desk.smtp.misbehave(stage, delay=0.2, hang_up=True, times=1)
    outgoing = await sent_by(desk)
    assert await desk.attempt(outgoing) == "unknown"
    shown = await desk.shown(outgoing)
    assert "not known" in shown.reason and shown.remedy and shown.server_words
    assert len(await told(desk)) == 1
    assert await jobs("settle_unknown") == 1


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "message"])
async def test_a_passing_refusal_waits_longer_each_time(desk: Desk, stage: Stage) -> None:
    desk.smtp.misbehave(stage, reply="451 4.3.0 Come back later")
    outgoing = await sent_by(desk)
    wait = "SELECT round(extract(epoch FROM next_attempt_at - now()))::int FROM outgoing"
    waits = []
    for _ in range(3):
        assert await desk.attempt(outgoing) == "queued"
        waits.append(await fetch_value(wait))
    assert waits == [30, 120, 600]
    shown = await desk.shown(outgoing)
    assert "451" in shown.server_words and "tried again" in shown.remedy


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "message"])
async def test_a_final_refusal_keeps_the_text_and_tells_its_author_why(desk: Desk, stage: Stage) -> None:
    desk.smtp.misbehave(stage, reply="550 5.1.1 No such user here")
    outgoing = await sent_by(desk)
    assert await desk.attempt(outgoing) == "failed"
    shown = await desk.shown(outgoing)
    assert shown.text == "We look into it." and "5.1.1" in shown.server_words
    assert [recipient.state for recipient in shown.recipients] == ["refused"]
    assert await told(desk) == [shown.reason]
    assert (await desk.detail(outgoing.conversation_id)).row.outbox == "failed"


async def test_after_two_days_of_passing_refusals_it_has_failed(desk: Desk) -> None:
    desk.smtp.misbehave("mail", reply="451 4.3.0 Come back later")
    outgoing = await sent_by(desk)
    await execute("UPDATE outgoing SET attempts = $1", results.MOST_ATTEMPTS - 1)
    assert await desk.attempt(outgoing) == "failed"
    assert "two days" in (await desk.shown(outgoing)).reason


async def test_the_attempts_last_about_two_days() -> None:
    total = sum(results.wait_after(n).total_seconds() for n in range(1, results.MOST_ATTEMPTS))
    assert 40 <= total / 3600 <= 56


async def test_a_wrong_password_is_shown_with_its_remedy_and_tried_slowly(desk: Desk) -> None:
    desk.smtp.password = "changed at the provider"
    outgoing = await sent_by(desk)
    assert await desk.attempt(outgoing) == "queued"
    shown = await desk.shown(outgoing)
    assert "password" in shown.reason and "password" in shown.remedy
    wait = "SELECT extract(epoch FROM next_attempt_at - now()) FROM outgoing"
    assert await fetch_value(wait) > 500
    assert desk.smtp.messages == []


async def test_some_recipients_may_be_refused_while_others_have_it(desk: Desk) -> None:
    desk.smtp.misbehave("rcpt", reply="550 5.1.1 Unknown", recipient="bob@customer.example")
    draft = await desk.new_draft(cc=[BOB])
    outgoing = await desk.send(draft)
    assert await desk.attempt(outgoing) == "sent"
    shown = await desk.shown(outgoing)
    assert [(r.address, r.state) for r in shown.recipients] == [
        ("carla@customer.example", "accepted"),
        ("bob@customer.example", "refused"),
    ]
    assert "bob@customer.example" in shown.reason
    assert await told(desk) == [shown.reason]
    await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "cancel"}, Outgoing)
    detail = await desk.detail(outgoing.conversation_id)
    assert (detail.outgoing, len(detail.messages)) == ([], 1)


async def test_a_recipient_who_must_wait_gets_the_mail_later_and_the_others_only_once(desk: Desk) -> None:
    desk.smtp.misbehave("rcpt", reply="450 4.2.0 Greylisted", recipient="bob@customer.example", times=1)
    outgoing = await desk.send(await desk.new_draft(cc=[BOB]))
    assert await desk.attempt(outgoing) == "queued"
    shown = await desk.shown(outgoing)
    assert [r.state for r in shown.recipients] == ["accepted", "pending"] and "tried again" in shown.reason
    assert len((await desk.detail(outgoing.conversation_id)).messages) == 1
    assert await desk.attempt(outgoing) == "sent"
    assert [accepted.recipients for accepted in desk.smtp.messages] == [
        ("carla@customer.example",),
        ("bob@customer.example",),
    ]
    detail = await desk.detail(outgoing.conversation_id)
    assert (len(detail.messages), detail.outgoing) == (1, [])
    assert await jobs("store_sent_copies") == 1


async def test_taking_a_mail_back_that_some_have_leaves_it_sent_to_those(desk: Desk) -> None:
    desk.smtp.misbehave("rcpt", reply="450 4.2.0 Greylisted", recipient="bob@customer.example")
    outgoing = await desk.send(await desk.new_draft(cc=[BOB]))
    await desk.attempt(outgoing)
    back = await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "edit"})
    assert [person["address"] for person in back["to"] + back["cc"]] == ["bob@customer.example"]
    assert await desk.state(outgoing) == "sent"


async def test_a_colleagues_answer_meanwhile_holds_the_mail(desk: Desk) -> None:
    conversation_id = await deliver(desk.api.support)
    anas, jonas = await desk.reply_draft(conversation_id), await desk.reply_draft(conversation_id, desk.api.jonas)
    held = await desk.send(anas)
    other = await desk.send(jonas, desk.api.jonas, even_if_answered=True)
    assert await desk.attempt(other) == "sent"
    assert await desk.attempt(held) == "held"
    shown = await desk.shown(held)
    assert "answered" in shown.reason
    assert [(each.author_id, each.snippet) for each in shown.came] == [(desk.api.jonas.user_id, jonas.text)]
    detail = await desk.detail(conversation_id)
    assert shown.came[0].message_id in [each.id for each in detail.messages]
    assert len(desk.smtp.messages) == 1
    again = await desk.api.ana.post(f"/outbox/{held.id}/resolve", {"choice": "send_again"}, Outgoing)
    assert again.came == []
    assert await desk.attempt(held) == "sent"


async def test_a_customer_who_writes_again_holds_the_answer_until_a_person_has_read_it(desk: Desk) -> None:
    first = write_mail()
    conversation_id = await deliver(desk.api.support, first)
    held = await desk.send(await desk.reply_draft(conversation_id))
    answer = write_mail(answers=f"<{parse_message(first).message_id}>", text="Never mind, it is gone.")
    await deliver(desk.api.support, answer)
    assert await desk.attempt(held) == "held"
    shown = await desk.shown(held)
    assert shown.reason == "Carla Customer wrote again while this mail was waiting."
    assert [each.snippet for each in shown.came] == ["Never mind, it is gone."]
    assert [each.came for each in await desk.api.jonas.get("/outbox", list[Outgoing])] == [shown.came]
    assert desk.smtp.commands == []
    await desk.api.ana.post(f"/outbox/{held.id}/resolve", {"choice": "send_again"}, Outgoing)
    assert await desk.attempt(held) == "sent"


async def test_a_forward_is_held_by_no_answer(desk: Desk) -> None:
    first = write_mail()
    conversation_id = await deliver(desk.api.support, first)
    begun = await desk.api.ana.post("/drafts", {"kind": "forward", "conversation_id": conversation_id}, Draft)
    forward = await desk.save(desk.api.ana, begun, to=[BOB])
    await desk.send(await desk.reply_draft(conversation_id, desk.api.jonas), desk.api.jonas)
    await deliver(desk.api.support, write_mail(answers=f"<{parse_message(first).message_id}>"))
    assert await desk.attempt(await desk.send(forward)) == "sent"


async def test_a_writer_who_lost_the_mailbox_holds_the_mail_until_a_colleague_sends_it(desk: Desk) -> None:
    outgoing = await desk.send(await desk.reply_draft(await deliver(desk.api.support), desk.api.jonas), desk.api.jonas)
    members = {"member_ids": [desk.api.ana.user_id], "team_ids": []}
    await desk.api.ana.put(f"/mailboxes/{desk.api.support}/members", members)
    assert await desk.attempt(outgoing) == "held"
    assert desk.smtp.commands == []
    again = await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "send_again"}, Outgoing)
    assert again.author_id == desk.api.ana.user_id
    assert await desk.attempt(outgoing) == "sent"


async def test_two_workers_at_the_same_mail_send_it_once(desk: Desk) -> None:
    desk.smtp.misbehave("mail", delay=0.2)
    outgoing = await sent_by(desk)
    await asyncio.gather(*(Sender().send(outgoing.id) for _ in range(5)))
    assert (await desk.state(outgoing), len(desk.smtp.messages)) == ("sent", 1)
    assert await fetch_value("SELECT attempts FROM outgoing") == 1


async def test_the_attempt_counts_before_it_is_made(desk: Desk) -> None:
    outgoing = await sent_by(desk)
    desk.smtp.misbehave("connect", delay=5)
    attempt = asyncio.create_task(desk.sender.send(outgoing.id))
    await until("SELECT attempts = 1 FROM outgoing")
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    assert (await desk.shown(outgoing)).attempts == 1


async def test_a_worker_that_died_before_sending_is_replaced_when_its_claim_is_over(desk: Desk) -> None:
    outgoing = await sent_by(desk)
    assert await transitions.claim(outgoing.id, timedelta(seconds=60)) is not None
    await asyncio.gather(*await desk.sender.sweep())
    assert await desk.state(outgoing) == "queued" and desk.smtp.commands == []
    await execute("UPDATE outgoing SET claimed_until = now() - interval '1 second'")
    survivor = Sender()
    await asyncio.gather(*await survivor.sweep())
    assert (await desk.state(outgoing), len(desk.smtp.messages)) == ("sent", 1)


async def begun(outgoing: Outgoing) -> transitions.Claim:
    """A worker that got as far as `sending`, and then died or slept."""
    held = await transitions.claim(outgoing.id, timedelta(seconds=60))
    assert held is not None and await transitions.begin_sending(held)
    await execute("UPDATE outgoing SET claimed_until = now() - interval '1 second'")
    return held


async def test_a_worker_that_died_while_sending_leaves_unknown_and_nothing_is_sent_again(desk: Desk) -> None:
    outgoing = await sent_by(desk)
    await begun(outgoing)
    await asyncio.gather(*await desk.sender.sweep())
    assert (await desk.state(outgoing), desk.smtp.commands) == ("unknown", [])


async def test_a_late_acceptance_is_recorded_even_after_the_mail_was_given_up(desk: Desk) -> None:
    outgoing = await sent_by(desk)
    held = await begun(outgoing)
    await results.expire()
    assert await results.record_acceptance(outgoing.id, held.recipients, {}, {})
    assert await desk.state(outgoing) == "sent"
    assert len((await desk.detail(outgoing.conversation_id)).messages) == 2


async def test_a_late_acceptance_stops_the_second_sending_that_a_person_asked_for(desk: Desk) -> None:
    outgoing = await sent_by(desk)
    held = await begun(outgoing)
    await results.expire()
    await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "send_again"}, Outgoing)
    assert await results.record_acceptance(outgoing.id, held.recipients, {}, {})
    assert (await desk.attempt(outgoing), desk.smtp.messages) == ("sent", [])


async def test_a_worker_that_slept_can_neither_send_nor_change_anything(desk: Desk) -> None:
    outgoing = await sent_by(desk)
    slept = await transitions.claim(outgoing.id, timedelta(seconds=60))
    assert slept is not None
    await execute("UPDATE outgoing SET claimed_until = now() - interval '1 second'")
    assert await desk.attempt(outgoing) == "sent"
    words = results.Words("late", "")
    assert not await transitions.begin_sending(slept)
    assert not await transitions.renew(slept, timedelta(seconds=60))
    assert not await results.try_later(slept, words)
    assert not await results.fail(slept, words, {})
    assert not await results.hold(slept, words)
    assert not await results.lose(outgoing.id, slept.fence)
    assert await desk.state(outgoing) == "sent"


@pytest.mark.parametrize("stage", ["rcpt", "data"])
async def test_a_process_that_was_stopped_between_sending_and_the_text_sends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    """The clock that runs on while a process is stopped jumps, as after SIGSTOP or a closed lid."""
    outgoing = await sent_by(desk)
    await execute("UPDATE outgoing SET attempts = 6, fence = 6")  # so many workers were killed over it
    readings = iter([0.0, 0.1, 61.0] if stage == "data" else [0.0, 61.0])
    monkeypatch.setattr(outgoing_module, "seconds_since_boot", lambda: next(readings))
    assert await desk.attempt(outgoing) == "queued"
    assert desk.smtp.messages == []
    assert await fetch_value("SELECT next_attempt_at <= now() + $1::interval FROM outgoing", results.SOON), (
        "the server refused nothing, so nobody has to wait for it"
    )
    assert (await desk.shown(outgoing)).reason == ""
    monkeypatch.undo()
    assert await desk.attempt(outgoing) == "sent"
    assert len(desk.smtp.messages) == 1


async def test_a_server_may_take_longer_over_data_than_a_claim_lasts(desk: Desk) -> None:
    desk.smtp.misbehave("data", delay=1.5)
    outgoing = await sent_by(desk)
    await Sender(claim_seconds=0.8).send(outgoing.id)
    assert await desk.state(outgoing) == "sent"
    assert len(desk.smtp.messages) == 1


async def test_an_attempt_whose_claim_cannot_be_extended_sends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(held: transitions.Claim, lasting: timedelta) -> bool:
        raise OSError("the database does not answer")

    monkeypatch.setattr(transitions, "renew", unreachable)
    desk.smtp.misbehave("data", delay=1)
    outgoing = await sent_by(desk)
    await Sender(claim_seconds=0.8).send(outgoing.id)
    assert (await desk.state(outgoing), desk.smtp.messages) == ("queued", [])


async def test_a_claim_is_extended_while_a_slow_server_thinks(desk: Desk) -> None:
    desk.smtp.misbehave("message", delay=1.5, accept=True)
    outgoing = await sent_by(desk)
    slow, other = Sender(claim_seconds=0.6), Sender(claim_seconds=0.6)
    sending = asyncio.create_task(slow.send(outgoing.id))
    for _ in range(6):
        await asyncio.sleep(0.2)
        await other.sweep()
    await sending
    assert await desk.state(outgoing) == "sent"
    assert len(desk.smtp.messages) == 1


async def test_an_acceptance_is_written_down_even_when_the_message_cannot_be_stored_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    outgoing = await sent_by(desk)

    async def broken(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(many, "store_sent_messages", broken)
    monkeypatch.setattr(results, "store_sent_message", broken)
    assert await desk.attempt(outgoing) == "sent"
    assert await jobs("store_sent_copies") == 1


async def test_stopping_gives_back_what_was_not_begun(desk: Desk) -> None:
    desk.smtp.misbehave("rcpt", delay=0.5)
    outgoing = await sent_by(desk)
    await desk.sender.sweep()
    await until("SELECT attempts = 1 FROM outgoing")
    await asyncio.sleep(0.2)
    await desk.sender.stop()
    row = (await fetch("SELECT state, attempts, claimed_until FROM outgoing"))[0]
    assert (row["state"], row["attempts"], row["claimed_until"]) == ("queued", 0, None)
    assert desk.smtp.messages == []
    assert await desk.state(outgoing) == "queued"


async def test_a_mail_survives_the_joining_of_its_conversation(desk: Desk) -> None:
    parent = write_mail(subject="Frame")
    parent_id = parse_message(parent).message_id
    one = await deliver(desk.api.support, write_mail(subject="First", answers=f"<{parent_id}>"))
    two = await deliver(desk.api.support, write_mail(subject="Second", answers=f"<{parent_id}>"))
    assert one != two
    outgoing = await desk.send(await desk.reply_draft(two))
    await deliver(desk.api.support, parent, arrived=False)
    assert await desk.attempt(outgoing) == "sent"
    assert [m.direction for m in (await desk.detail(one)).messages].count("outgoing") == 1


async def test_what_is_stored_under_another_secret_key_is_told(desk: Desk, smtp: RecordingSmtp) -> None:
    await execute("UPDATE mail_accounts SET credentials = '\\x01aabbcc'::bytea")
    outgoing = await sent_by(desk)
    assert await desk.attempt(outgoing) == "queued"
    assert "secret key" in (await desk.shown(outgoing)).reason
    assert smtp.commands == []


async def until(query: str, seconds: float = 20.0) -> None:
    """Wait until the query answers true."""
    for _ in range(int(seconds / 0.02)):
        if await fetch_value(query):
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(query)
