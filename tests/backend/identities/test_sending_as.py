"""As whom a mail leaves: identities, names for one mail, Reply-to, and providers that force their own From."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from backend.compose.contracts import CreateDraft, Draft
from backend.database.connection import execute, fetch_value
from backend.identities.contracts import DraftSender, Identity, SaveIdentity, Senders, SetSender
from backend.mail.raw import load_raw
from backend.mailboxes.contracts import MailboxSettings
from backend.outgoing_servers.contracts import OutgoingServer, SaveOutgoingServer
from tests.servers.api import Member
from tests.servers.delivery import deliver
from tests.servers.sending import Desk
from tests.servers.system_mail import read

SALES = "sales@northwind.example"


async def add_identity(desk: Desk, *, verified: bool = True, **fields: Any) -> Identity:
    given = {"name": "Northwind Sales", "address": SALES, "mailbox_id": desk.api.support} | fields
    made = await desk.api.ana.post("/identities", SaveIdentity(**given), Identity)
    if verified:
        await execute("UPDATE used_addresses SET verified_at = now() WHERE address = $1", made.address)
    return made


async def choose(who: Member, draft: Draft, mailbox_id: int | None = None, **sender: Any) -> Draft:
    wanted = SetSender(sender=DraftSender(**sender), mailbox_id=mailbox_id)
    return await who.put(f"/drafts/{draft.id}/sender", wanted, Draft)


async def sent_as(desk: Desk, who: Member | None = None, **sender: Any) -> EmailMessage:
    """A new mail of Support's as its writer chose, as the server got it."""
    draft = await choose(who or desk.api.ana, await desk.new_draft(who), **sender)
    outgoing = await desk.send(draft, who)
    assert await desk.attempt(outgoing) == "sent"
    return read(desk.smtp.messages[-1])


async def senders(who: Member, draft: Draft) -> Senders:
    return await who.get(f"/drafts/{draft.id}/senders", Senders)


async def gmail_for_support(desk: Desk) -> OutgoingServer:
    place = SaveOutgoingServer(
        name="Gmail", host="smtp.gmail.com", port=465, security="tls", username="Shop@gmail.com", password="app"
    )
    server = await desk.api.ana.post("/outgoing-servers", place, OutgoingServer)
    await desk.api.ana.put(f"/mailboxes/{desk.api.support}/sending", {"server_id": server.id})
    return server


async def frozen(desk: Desk, draft: Draft) -> EmailMessage:
    """What stands in the outbox, before anything is tried."""
    outgoing = await desk.send(draft, undo_seconds=30)
    digest = await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing.id)
    return read_bytes(await load_raw(digest))


def read_bytes(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


async def test_a_mail_leaves_as_the_identity_that_was_chosen(desk: Desk) -> None:
    identity = await add_identity(desk)
    mail = await sent_as(desk, identity_id=identity.id)
    assert (mail["From"], mail["Reply-To"]) == (f"Northwind Sales <{SALES}>", None)
    assert desk.smtp.messages[-1].sender == SALES
    assert mail["Message-ID"].endswith("@northwind.example>")


async def test_an_identity_leaves_through_its_own_server(desk: Desk) -> None:
    place = {"name": "Relay", "host": "127.0.0.1", "port": 1, "security": "none", "for_all": False}
    server = await desk.api.ana.post("/outgoing-servers", place, OutgoingServer)
    identity = await add_identity(desk, server_id=server.id)
    draft = await choose(desk.api.ana, await desk.new_draft(), identity_id=identity.id)
    outgoing = await desk.send(draft)
    assert await desk.attempt(outgoing) != "sent"  # nobody is at port 1
    plain = await choose(desk.api.ana, await desk.new_draft())
    assert await desk.attempt(await desk.send(plain)) == "sent"


async def test_an_identitys_reply_to_is_where_answers_go(desk: Desk) -> None:
    identity = await add_identity(desk, reply_to="desk@northwind.example")
    assert (await sent_as(desk, identity_id=identity.id))["Reply-To"] == "desk@northwind.example"


async def test_the_from_name_of_a_group_mailbox_is_another_for_one_mail(desk: Desk) -> None:
    assert (await sent_as(desk, from_name="Recall team"))["From"] == "Recall team <support@northwind.example>"
    assert (await sent_as(desk))["From"] == "Support <support@northwind.example>"


async def test_answers_go_where_the_writer_wants_them(desk: Desk) -> None:
    replies = [
        (await sent_as(desk, reply_to="own"))["Reply-To"],
        (await sent_as(desk, reply_to="group"))["Reply-To"],  # that is From already
        (await sent_as(desk, reply_to="outgoing"))["Reply-To"],
        (await sent_as(desk, reply_to="other", reply_to_address="else@northwind.example"))["Reply-To"],
    ]
    assert replies == ["ana@northwind.example", None, None, "else@northwind.example"]
    noted = "SELECT count(*) FROM used_addresses WHERE address = 'else@northwind.example'"
    assert await fetch_value(noted) == 1


async def test_an_identity_that_nobody_verified_is_neither_offered_nor_sent_as(desk: Desk) -> None:
    identity = await add_identity(desk, verified=False)
    assert identity.offered is False
    draft = await desk.new_draft()
    assert [each.identity_id for each in (await senders(desk.api.ana, draft)).choices if each.group] == [None]
    draft = await choose(desk.api.ana, draft, identity_id=identity.id)
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert (refusal.status, "from" in refusal.details["fields"]) == (422, True)


async def test_any_address_of_a_verified_domain_is_offered_but_not_of_a_providers(desk: Desk) -> None:
    await add_identity(desk)
    other = await add_identity(desk, verified=False, address="recall@northwind.example")
    assert (other.verified, other.offered) == (False, True)
    await add_identity(desk, address="northwind@gmail.com")
    foreign = await add_identity(desk, verified=False, address="stranger@gmail.com")
    assert foreign.offered is False


async def test_from_offers_what_this_person_may_send_as(desk: Desk) -> None:
    await add_identity(desk)
    await add_identity(desk, address="all@northwind.example", mailbox_id=None)
    service = {"kind": "group", "name": "Service", "address": "service@northwind.example"}
    closed = await desk.api.ana.post("/mailboxes", service, MailboxSettings)
    await add_identity(desk, address="hidden@northwind.example", mailbox_id=closed.id)
    told = await senders(desk.api.jonas, await desk.new_draft(desk.api.jonas))
    assert [each.address for each in told.choices] == [
        "support@northwind.example",
        SALES,
        "all@northwind.example",
    ]
    assert {each.kind: each.address for each in told.reply_to} == {
        "own": "jonas@northwind.example",
        "group": "support@northwind.example",
    }


async def test_a_reply_stays_with_its_mailbox(desk: Desk) -> None:
    own = {"kind": "personal", "name": "Ana", "address": "ana@northwind.example"}
    mine = await desk.api.ana.post("/mailboxes", own, MailboxSettings)
    draft = await desk.reply_draft(await deliver(desk.api.support))
    assert {each.mailbox_id for each in (await senders(desk.api.ana, draft)).choices} == {desk.api.support}
    body = SetSender(sender=DraftSender(), mailbox_id=mine.id)
    assert (await desk.api.ana.refused("PUT", f"/drafts/{draft.id}/sender", body)).status == 409


async def test_a_new_mail_goes_to_another_mailbox_of_the_persons_and_to_no_other(desk: Desk) -> None:
    own = {"kind": "personal", "name": "Ana", "address": "ana@northwind.example"}
    mine = await desk.api.ana.post("/mailboxes", own, MailboxSettings)
    draft = await desk.new_draft()
    moved = await choose(desk.api.ana, draft, mailbox_id=mine.id)
    assert (moved.mailbox_id, moved.version) == (mine.id, draft.version)
    refused = SetSender(sender=DraftSender(), mailbox_id=desk.api.toms_mailbox)
    assert (await desk.api.ana.refused("PUT", f"/drafts/{draft.id}/sender", refused)).status == 404
    named = SetSender(sender=DraftSender(from_name="Somebody else"))
    assert (await desk.api.ana.refused("PUT", f"/drafts/{draft.id}/sender", named)).status == 422


async def test_gmail_gets_its_own_address_as_from_and_answers_come_to_the_team(desk: Desk) -> None:
    server = await gmail_for_support(desk)
    assert (server.provider, server.forced_from) == ("Gmail", "shop@gmail.com")
    draft = await desk.new_draft()
    [choice] = (await senders(desk.api.ana, draft)).choices
    assert (choice.address, choice.forced_by, choice.wanted) == (
        "shop@gmail.com",
        "Gmail",
        "support@northwind.example",
    )
    mail = await frozen(desk, draft)
    assert (mail["From"], mail["Reply-To"]) == ("Support <shop@gmail.com>", "support@northwind.example")


async def test_what_one_sent_as_last_is_offered_first(desk: Desk) -> None:
    identity = await add_identity(desk)
    await sent_as(desk, identity_id=identity.id)
    again = await desk.api.ana.post("/drafts", CreateDraft(kind="new"), Draft)
    assert (again.mailbox_id, again.sender.identity_id) == (desk.api.support, identity.id)
    await desk.api.ana.delete(f"/identities/{identity.id}")
    later = await desk.api.ana.post("/drafts", CreateDraft(kind="new"), Draft)
    assert (later.mailbox_id, later.sender.identity_id) == (desk.api.support, None)


async def test_a_mail_that_is_taken_back_is_as_it_was(desk: Desk) -> None:
    identity = await add_identity(desk)
    draft = await choose(desk.api.ana, await desk.new_draft(), identity_id=identity.id, from_name="Recall team")
    outgoing = await desk.send(draft, undo_seconds=30)
    back = await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert back.sender == DraftSender(identity_id=identity.id, from_name="Recall team")


async def test_members_make_no_identities(desk: Desk) -> None:
    given = SaveIdentity(name="Boss", address="boss@northwind.example")
    assert (await desk.api.jonas.refused("POST", "/identities", given)).status == 403
