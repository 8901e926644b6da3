"""Mail that comes back: shown on the mail, in its conversation, with why and what to do."""

from backend.compose.actions.reported import take_report
from backend.compose.contracts import Draft, Outgoing
from backend.database.connection import fetch, fetch_value
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.notifications.contracts import NotificationPage
from tests.servers.delivery import deliver
from tests.servers.sending import CUSTOMER, Desk

DAN = MailAddress(name="Dan", address="dan@customer.example")


def bounce(
    message_id: str,
    address: str = CUSTOMER.address,
    said: str = "550 5.1.1 No such user",
    *,
    action: str = "failed",
    envelope: str = "",
) -> bytes:
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: support@northwind.example\r\n"
        f"Message-ID: <report-{address}-{action}@mx.example>\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n"
        f"Original-Envelope-Id: {envelope or 'none'}\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {said.split()[1]}\r\n"
        f"Diagnostic-Code: smtp; {said}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\nTo: {address}\r\n\r\n--b--\r\n"
    ).encode()


async def sent(desk: Desk, **fields: object) -> Outgoing:
    outgoing = await desk.send(await desk.new_draft(**fields))  # pyright: ignore[reportArgumentType]
    assert await desk.attempt(outgoing) == "sent"
    return outgoing


async def came_back(desk: Desk, raw: bytes, mailbox_id: int | None = None) -> int:
    """The report arrives, and the job that it makes runs; answers its conversation."""
    conversation_id = await deliver(mailbox_id or desk.api.support, raw)
    for record in await fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'take_report'"):
        assert b"message_id" in record["payload"]
    await take_report(await fetch_value("SELECT max(id) FROM messages"))
    return conversation_id


async def test_a_bounce_is_shown_on_the_mail_that_came_back(desk: Desk) -> None:
    outgoing = await sent(desk)
    conversation_id = await came_back(desk, bounce(outgoing.message_id))
    assert conversation_id == outgoing.conversation_id
    shown = await desk.shown(outgoing)
    assert shown.state == "sent"
    assert shown.reason == "It came back from carla@customer.example. There is no mailbox carla@customer.example."
    assert (shown.remedy, shown.server_words) == (
        "Check the address for a typing mistake.",
        "550 5.1.1 No such user",
    )
    assert [(each.address, each.state) for each in shown.recipients] == [(CUSTOMER.address, "refused")]
    assert [each.id for each in await desk.api.ana.get("/outbox", list[Outgoing])] == [outgoing.id]


async def test_its_author_is_told_once(desk: Desk) -> None:
    outgoing = await sent(desk)
    for _ in range(2):
        await came_back(desk, bounce(outgoing.message_id))
    page = await desk.api.ana.get("/notifications", NotificationPage)
    told = [each for each in page.items if each.kind == "failed_send"]
    assert len(told) == 1 and told[0].conversation_id == outgoing.conversation_id


async def test_of_several_recipients_only_the_one_that_is_named_lacks_the_mail(desk: Desk) -> None:
    outgoing = await sent(desk, to=[CUSTOMER, DAN])
    await came_back(desk, bounce(outgoing.message_id, DAN.address, "552 5.2.2 Mailbox full"))
    shown = await desk.shown(outgoing)
    assert {each.address: each.state for each in shown.recipients} == {
        CUSTOMER.address: "accepted",
        DAN.address: "refused",
    }
    assert shown.remedy.startswith("It may pass by itself")
    back = await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "edit"}, Draft)
    assert [each.address for each in back.to] == [DAN.address]


async def test_what_came_back_can_be_sent_again_to_whom_it_did_not_reach(desk: Desk) -> None:
    outgoing = await sent(desk, to=[CUSTOMER, DAN])
    await came_back(desk, bounce(outgoing.message_id, DAN.address))
    await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "send_again"}, Outgoing)
    assert await desk.attempt(outgoing) == "sent"
    assert desk.smtp.messages[-1].recipients == (DAN.address,)


async def test_a_forwarded_address_behind_the_only_recipient_is_understood(desk: Desk) -> None:
    outgoing = await sent(desk)
    await came_back(desk, bounce(outgoing.message_id, "carla.private@elsewhere.example"))
    assert [each.state for each in (await desk.shown(outgoing)).recipients] == ["refused"]


async def test_a_delay_changes_nothing_yet(desk: Desk) -> None:
    outgoing = await sent(desk)
    await came_back(desk, bounce(outgoing.message_id, said="451 4.4.1 No answer", action="delayed"))
    assert await desk.api.ana.get("/outbox", list[Outgoing]) == []


async def test_a_stranger_without_the_message_id_reports_nothing(desk: Desk) -> None:
    outgoing = await sent(desk)
    conversation_id = await came_back(desk, bounce("guessed@northwind.example"))
    assert conversation_id != outgoing.conversation_id
    assert await desk.api.ana.get("/outbox", list[Outgoing]) == []


async def test_a_bounce_that_came_to_another_mailbox_is_not_believed(desk: Desk) -> None:
    outgoing = await sent(desk)
    sales = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example")
    other = await desk.api.ana.post("/mailboxes", sales, MailboxSettings)
    await came_back(desk, bounce(outgoing.message_id), other.id)
    assert await desk.api.ana.get("/outbox", list[Outgoing]) == []


def complaint(message_id: str) -> bytes:
    """As providers write them (RFC 5965)."""
    return (
        "From: <feedback@provider.example>\r\nTo: support@northwind.example\r\nMessage-ID: <c1@provider.example>\r\n"
        "Subject: Complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{message_id}>\r\nFrom: support@northwind.example\r\n"
        f"To: {CUSTOMER.address}\r\nSubject: Your bike\r\n\r\nHello\r\n--b--\r\n"
    ).encode()


async def test_a_complaint_is_shown_on_the_mail_that_it_is_about(desk: Desk) -> None:
    outgoing = await sent(desk)
    for _ in range(2):
        assert await came_back(desk, complaint(outgoing.message_id)) == outgoing.conversation_id
    shown = await desk.shown(outgoing)
    assert (shown.state, shown.reason) == ("sent", "carla@customer.example marked this mail as spam.")
    assert "Do not write to them again" in shown.remedy
    assert [each.state for each in shown.recipients] == ["accepted"]
    page = await desk.api.ana.get("/notifications", NotificationPage)
    assert [each.text for each in page.items if each.kind == "failed_send"] == [shown.reason]
    refusal = await desk.api.ana.refused("POST", f"/outbox/{outgoing.id}/resolve", {"choice": "send_again"})
    assert refusal.status == 409
    await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "cancel"}, Outgoing)
    assert await desk.api.ana.get("/outbox", list[Outgoing]) == []


async def test_a_report_of_success_changes_nothing(desk: Desk) -> None:
    outgoing = await sent(desk)
    await came_back(desk, bounce(outgoing.message_id, said="250 2.1.5 Delivered", action="delivered"))
    assert await desk.api.ana.get("/outbox", list[Outgoing]) == []


async def test_a_bounce_is_known_by_the_envelope_that_it_names(desk: Desk) -> None:
    outgoing = await sent(desk)
    await came_back(desk, bounce("another@mx.example", envelope=outgoing.message_id.replace("@", "+40")))
    assert [each.state for each in (await desk.shown(outgoing)).recipients] == ["refused"]
