"""As whom Tandem itself writes: a name and a Reply-to for users, others for customers."""

from pathlib import Path

from backend.addresses.actions import note_address, note_addresses
from backend.database.connection import fetch
from backend.events.record import action
from backend.outgoing_servers.contracts import SetSystemMail, SystemMail, SystemSender
from backend.people.contracts import CreateInvitation, InvitationCreated
from backend.settings import settings
from tests.servers.api import Api, environment
from tests.servers.smtp import RecordingSmtp
from tests.servers.system_mail import read, run_system_mail


async def invite(api: Api) -> InvitationCreated:
    return await api.ana.post("/invitations", CreateInvitation(email="mei@northwind.example"), InvitationCreated)


async def settle() -> None:
    """What comes into use by itself is asked about, and out of the way."""
    await note_addresses()
    await fetch("DELETE FROM pgqueuer WHERE entrypoint = 'system_mail'")


async def ask_a_stranger() -> None:
    """A Reply-to that was typed for one mail: whose it is, is asked outside."""
    async with action(None):
        await note_address("partner@elsewhere.example", 1)


async def test_users_and_customers_hear_from_another_sender_each(mailing: Api, smtp: RecordingSmtp) -> None:
    wanted = SetSystemMail(
        users=SystemSender(name="Northwind IT", reply_to="it@northwind.example"),
        customers=SystemSender(name="Northwind Bikes", reply_to="hello@northwind.example"),
    )
    told = await mailing.ana.put("/system-mail", wanted, SystemMail)
    assert told.address == "tandem@northwind.example"
    await settle()
    await invite(mailing)
    await ask_a_stranger()
    assert await run_system_mail() == 2
    seen = [(mail["From"], mail["Reply-To"]) for mail in map(read, smtp.messages)]
    assert seen == [
        ("Northwind IT <tandem@northwind.example>", "it@northwind.example"),
        ("Northwind Bikes <tandem@northwind.example>", "hello@northwind.example"),
    ]


async def test_by_default_it_is_tandem_to_users_and_the_organisation_to_customers(
    mailing: Api, smtp: RecordingSmtp
) -> None:
    await mailing.ana.put("/system-mail", SetSystemMail(users=SystemSender(name="IT")))
    await mailing.ana.put("/system-mail", SetSystemMail())  # reset to default
    await settle()
    await invite(mailing)
    await ask_a_stranger()
    await run_system_mail()
    senders = [read(each)["From"] for each in smtp.messages]
    assert senders == ["Tandem <tandem@northwind.example>", "Northwind Bikes <tandem@northwind.example>"]


async def test_a_reply_to_of_system_mail_is_an_address_in_use(mailing: Api) -> None:
    wanted = SetSystemMail(users=SystemSender(reply_to="it@northwind.example"))
    await mailing.ana.put("/system-mail", wanted)
    book = await mailing.ana.get("/used-addresses")
    assert [each["uses"][0]["use"] for each in book["addresses"] if each["address"] == "it@northwind.example"] == [
        "system"
    ]


async def test_the_outgoing_server_for_all_carries_system_mail_where_the_environment_names_none(
    api: Api, smtp: RecordingSmtp, tmp_path: Path
) -> None:
    with environment(tmp_path, TANDEM_ALLOW_PRIVATE_SERVERS="yes"):
        api.application.state.settings = settings()
        assert (await invite(api)).mailed is False
        place = {"name": "Relay", "host": "127.0.0.1", "port": smtp.port, "security": "none", "for_all": True}
        sign_in = {"username": "mailer@northwind.example", "password": smtp.password}
        await api.ana.post("/outgoing-servers", place | sign_in)
        assert (await api.stranger().get("/set-up"))["can_mail_passwords"] is True
        assert (await invite(api)).mailed is True
        await run_system_mail()
    assert "Tandem <mailer@northwind.example>" in [read(each)["From"] for each in smtp.messages]


async def test_members_do_not_set_it(mailing: Api) -> None:
    assert (await mailing.jonas.refused("PUT", "/system-mail", SetSystemMail())).status == 403
