"""One mail to each recipient: their own, with their own fields; taken back together."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.compose.contracts import Draft, Outgoing
from backend.database.connection import execute, fetch, fetch_value
from backend.identities.contracts import Senders
from backend.identities.queries import habits_of
from backend.mail.contracts import MailAddress
from sync.mime.parse import parse_message
from tests.servers.delivery import deliver
from tests.servers.sending import CUSTOMER, Desk

DAN = MailAddress(name="Dan Duarte", address="dan@customer.example")
EVE = MailAddress(name="", address="eve@customer.example")


async def all_of(desk: Desk, first: Outgoing) -> list[Outgoing]:
    detail = await desk.detail(first.conversation_id)
    return detail.outgoing


async def test_everybody_gets_a_mail_of_their_own(desk: Desk) -> None:
    draft = await desk.new_draft(to=[CUSTOMER, DAN], cc=[EVE], bcc=[CUSTOMER])
    first = await desk.send(draft, one_each=True)
    mails = await all_of(desk, first)
    assert [[person.address for person in each.to] for each in mails] == [
        [CUSTOMER.address],
        [DAN.address],
        [EVE.address],
    ]
    assert {each.one_of for each in mails} == {first.id} and len({each.message_id for each in mails}) == 3
    for each in mails:
        assert await desk.attempt(each) == "sent"
    for accepted, person in zip(desk.smtp.messages, (CUSTOMER, DAN, EVE), strict=True):
        mail = parse_message(accepted.raw)
        assert accepted.recipients == (person.address,)
        assert ([one.address for one in mail.to], mail.cc) == ([person.address], ())
    detail = await desk.detail(first.conversation_id)
    assert (len(detail.messages), detail.outgoing) == (3, [])


async def test_the_fields_of_the_text_are_filled_in_for_each(desk: Desk) -> None:
    text = 'Dear {{ contact.first_name | default("customer") }},'
    draft = await desk.new_draft(to=[CUSTOMER, DAN, EVE], text=text, subject="For {{ contact.email }}")
    for each in await all_of(desk, await desk.send(draft, one_each=True)):
        assert await desk.attempt(each) == "sent"
    mails = [parse_message(each.raw) for each in desk.smtp.messages]
    assert [(mail.text or "").strip() for mail in mails] == ["Dear Carla,", "Dear Dan,", "Dear customer,"]
    assert mails[1].subject == "For dan@customer.example"


async def test_nothing_leaves_where_a_field_is_empty_for_somebody(desk: Desk) -> None:
    draft = await desk.new_draft(to=[CUSTOMER, EVE], text="Dear {{ contact.first_name }},")
    body = {"version": draft.version, "one_each": True}
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", body)
    assert refusal.status == 422 and "eve@customer.example" in refusal.message
    assert await fetch_value("SELECT count(*) FROM outgoing") == 0
    assert [each.id for each in await desk.api.ana.get("/drafts", list[Draft])] == [draft.id]


async def test_undo_gives_back_what_was_written_for_all_who_do_not_have_it(desk: Desk) -> None:
    text = "Dear {{ contact.email }},"
    draft = await desk.new_draft(to=[CUSTOMER, DAN], cc=[EVE], text=text)
    first = await desk.send(draft, one_each=True)
    assert await desk.attempt((await all_of(desk, first))[1]) == "sent"
    back = await desk.api.ana.post(f"/outbox/{first.id}/undo", None, Draft)
    assert (back.text, back.to, back.cc) == (text, [CUSTOMER], [EVE])
    assert {record["state"] for record in await fetch("SELECT state FROM outgoing")} == {"sent", "cancelled"}
    refusal = await desk.api.ana.refused("POST", f"/outbox/{first.id}/undo")
    assert refusal.status == 409


@pytest.mark.parametrize("one_each", [True, False])
async def test_the_choice_is_remembered(desk: Desk, one_each: bool) -> None:
    await desk.send(await desk.new_draft(to=[CUSTOMER, DAN]), one_each=True)
    await desk.send(await desk.new_draft(to=[CUSTOMER, DAN]), one_each=one_each)
    [record] = await fetch("SELECT sending FROM users WHERE id = $1", desk.api.ana.user_id)
    assert habits_of(record).one_each is one_each


@pytest.mark.parametrize("kind", ["new", "forward"])
async def test_it_is_offered_again_for_a_new_mail_only(desk: Desk, kind: str) -> None:
    await desk.send(await desk.new_draft(to=[CUSTOMER, DAN]), one_each=True)
    place = {"kind": "new", "mailbox_id": desk.api.support}
    if kind != "new":
        place = {"kind": kind, "conversation_id": await deliver(desk.api.support)}
    draft = await desk.api.ana.post("/drafts", place, Draft)
    offered = await desk.api.ana.get(f"/drafts/{draft.id}/senders", Senders)
    assert offered.one_each is (kind == "new")


async def test_each_leaves_at_the_moment_that_was_chosen_and_reminds_its_writer(desk: Desk) -> None:
    at = datetime.now(UTC) + timedelta(hours=3)
    draft = await desk.new_draft(to=[CUSTOMER, DAN])
    first = await desk.send(draft, one_each=True, send_at=at, then_remind_at=at + timedelta(days=2))
    mails = await all_of(desk, first)
    assert {(each.state, each.send_at, each.then_remind_at) for each in mails} == {
        ("scheduled", at, at + timedelta(days=2))
    }
    for each in mails:
        assert await desk.attempt(each) == "scheduled"
    await execute("UPDATE outgoing SET next_attempt_at = now() - interval '1 second'")
    for each in mails:
        assert await desk.attempt(each) == "sent"
    assert [each.recipients for each in desk.smtp.messages] == [(CUSTOMER.address,), (DAN.address,)]


async def test_undo_before_any_has_left_leaves_nothing_but_the_draft(desk: Desk) -> None:
    first = await desk.send(await desk.new_draft(to=[CUSTOMER, DAN]), one_each=True)
    back = await desk.api.ana.post(f"/outbox/{first.id}/undo", None, Draft)
    assert (back.conversation_id, back.to) == (None, [CUSTOMER, DAN])
    assert await fetch_value("SELECT count(*) FROM conversations") == 0
