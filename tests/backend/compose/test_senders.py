"""Who stands as the sender of a mail: the mailbox, its writer with it, or its writer on its behalf."""

from email import message_from_bytes
from email.policy import default

import pytest

from backend.database.connection import fetch_value
from backend.mail.raw import load_raw
from backend.mailboxes.contracts import SendAs, UpdateMailbox
from backend.people.contracts import UpdateProfile
from tests.servers.delivery import deliver
from tests.servers.sending import Desk

OURS = "Northwind Bikes <support@northwind.example>"


@pytest.mark.parametrize(
    ("send_as", "from_", "sender"),
    [
        ("mailbox", OURS, None),
        ("person", '"Jonas Dahl, Northwind Bikes" <support@northwind.example>', None),
        ("on_behalf", OURS, "Jonas Dahl <jonas@northwind.example>"),
    ],
)
async def test_a_mail_is_sent_as_its_mailbox_is_set(
    desk: Desk, send_as: SendAs, from_: str, sender: str | None
) -> None:
    await desk.api.jonas.patch("/me", UpdateProfile(name="Jonas Dahl"))
    change = UpdateMailbox(default_from_name="Northwind Bikes", send_as=send_as)
    await desk.api.ana.patch(f"/mailboxes/{desk.api.support}", change)
    draft = await desk.reply_draft(await deliver(desk.api.support), desk.api.ana)
    outgoing = await desk.send(draft, desk.api.jonas)  # who sends it is named, not who began it
    assert await desk.attempt(outgoing) == "sent"
    sent = desk.smtp.messages[-1]
    mail = message_from_bytes(sent.raw, policy=default)
    assert (mail["From"], mail["Sender"]) == (from_, sender)
    assert sent.sender == "support@northwind.example"


async def test_what_was_sent_before_stays_as_it_was(desk: Desk) -> None:
    """Sender and the address for copies are fixed at Send."""
    change = UpdateMailbox(reply_bcc="archive@northwind.example", send_as="on_behalf")
    await desk.api.ana.patch(f"/mailboxes/{desk.api.support}", change)
    outgoing = await desk.send(await desk.reply_draft(await deliver(desk.api.support)))
    await desk.api.ana.patch(f"/mailboxes/{desk.api.support}", UpdateMailbox(reply_bcc="", send_as="mailbox"))
    assert await desk.attempt(outgoing) == "sent"
    sent = desk.smtp.messages[-1]
    assert sent.recipients == ("carla@customer.example", "archive@northwind.example")
    assert b"Sender: " in sent.raw and b"archive@" not in sent.raw


async def test_whoever_has_the_mailboxs_own_address_sends_on_nobodys_behalf(desk: Desk) -> None:
    own = UpdateMailbox(address="ana@northwind.example", send_as="on_behalf")
    await desk.api.ana.patch(f"/mailboxes/{desk.api.support}", own)
    outgoing = await desk.send(await desk.new_draft())
    raw = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing.id))
    assert b"Sender: " not in raw
