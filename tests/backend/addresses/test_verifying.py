"""Whose an address is: asked about once, answered by a button behind a signed link."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.addresses.actions import note_addresses, settle_by_accounts
from backend.addresses.contracts import AddressBook, AddressOffer, UsedAddress
from backend.addresses.links import address_token
from backend.addresses.proof import proves
from backend.database.connection import execute, fetch, fetch_value
from backend.identities.contracts import SaveIdentity
from backend.settings import settings
from tests.servers.api import Api, token_in
from tests.servers.smtp import RecordingSmtp
from tests.servers.system_mail import link_in, plain_text, read, run_system_mail

SALES = "sales@northwind.example"


async def book(api: Api) -> dict[str, UsedAddress]:
    told = await api.ana.get("/used-addresses", AddressBook)
    return {each.address: each for each in told.addresses}


async def add_sales(api: Api, reply_to: str = "") -> None:
    await api.ana.post("/identities", SaveIdentity(name="Sales", address=SALES, reply_to=reply_to))


@pytest.fixture
async def settled(mailing: Api, smtp: RecordingSmtp) -> Api:
    """What the cast brought along is noted and asked about already."""
    await note_addresses()
    await run_system_mail()
    smtp.messages.clear()
    return mailing


async def test_an_address_that_comes_into_use_gets_one_mail_however_often_it_is_used(
    settled: Api, smtp: RecordingSmtp
) -> None:
    await add_sales(settled, reply_to=SALES)
    await add_sales(settled)
    await note_addresses()
    assert await run_system_mail() == 1
    [sent] = smtp.messages
    assert sent.recipients == (SALES,)
    uses = [(each.use) for each in (await book(settled))[SALES].uses]
    assert uses == ["identity", "identity", "reply_to"]


async def test_the_button_of_the_mail_verifies_the_address(settled: Api, smtp: RecordingSmtp) -> None:
    await add_sales(settled)
    await run_system_mail()
    mail = read(smtp.messages[0])
    html = mail.get_body(("html",))
    assert html is not None
    assert ">Yes, I own this address</a>" in html.get_content()
    assert "Northwind Bikes uses the address sales@northwind.example" in plain_text(mail)
    link = link_in(mail)
    assert link.startswith("http://tandem.example/verify-address/#token=")
    assert link in html.get_content()
    stranger = settled.stranger()
    offer = await stranger.post("/addresses/offer", {"token": token_in(link)}, AddressOffer)
    assert (offer.address, offer.verified) == (SALES, False)
    await stranger.post("/addresses/verify", {"token": token_in(link)})
    assert (await book(settled))[SALES].verified_by == "link"


async def test_looking_at_the_link_verifies_nothing(settled: Api, smtp: RecordingSmtp) -> None:
    """Programs that look through mail follow every link."""
    await add_sales(settled)
    await run_system_mail()
    token = token_in(link_in(read(smtp.messages[0])))
    await settled.stranger().post("/addresses/offer", {"token": token})
    assert (await settled.stranger().request("GET", f"/addresses/verify?token={token}")).status_code == 405
    assert (await book(settled))[SALES].verified_at is None


async def test_a_link_that_is_changed_or_has_run_out_opens_nothing(settled: Api) -> None:
    await add_sales(settled)
    row = (await fetch("SELECT id FROM used_addresses WHERE address = $1", SALES))[0]["id"]
    other = await fetch_value("SELECT id FROM used_addresses WHERE address <> $1 LIMIT 1", SALES)
    good, _ = address_token(settings(), row, SALES, datetime.now(UTC))
    late, _ = address_token(settings(), row, SALES, datetime.now(UTC) - timedelta(days=8))
    foreign = f"{other}.{good.partition('.')[2]}"
    for token in (late, foreign, good[:-1] + ("0" if good[-1] != "0" else "1"), "", "1.2", "x.y.z", "9" * 400):
        assert (await settled.stranger().refused("POST", "/addresses/verify", {"token": token})).status == 404
    await settled.stranger().post("/addresses/verify", {"token": good})


async def test_an_admin_sends_the_link_again(settled: Api, smtp: RecordingSmtp) -> None:
    await add_sales(settled)
    await run_system_mail()
    path = f"/used-addresses/{(await book(settled))[SALES].id}/ask"
    assert (await settled.ana.refused("POST", path)).status == 429
    await execute("UPDATE used_addresses SET asked_at = asked_at - interval '2 minutes'")
    await settled.ana.post(path)
    assert await run_system_mail() == 1
    assert len(smtp.messages) == 2
    await execute("UPDATE used_addresses SET verified_at = now()")
    assert (await settled.ana.refused("POST", path)).status == 409


async def test_what_was_in_use_before_an_upgrade_is_asked_about_when_an_admin_says_so(
    settled: Api, smtp: RecordingSmtp
) -> None:
    await execute("UPDATE used_addresses SET asked_at = NULL")
    assert await note_addresses() == 0
    asked = (await settled.ana.post("/used-addresses/ask"))["asked"]
    assert asked == await run_system_mail() == len(smtp.messages) > 3


async def test_where_tandem_cannot_mail_it_says_so(api: Api) -> None:
    told = await api.ana.get("/used-addresses", AddressBook)
    assert told.can_ask is False
    await add_sales(api)
    assert await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'system_mail'") == 0
    refusal = await api.ana.refused("POST", f"/used-addresses/{(await book(api))[SALES].id}/ask")
    assert (refusal.status, "TANDEM_SMTP_URL" in refusal.remedy) == (409, True)


async def test_the_address_of_somebodys_personal_mailbox_is_theirs(settled: Api) -> None:
    await settled.tom.post("/mailboxes", {"kind": "personal", "name": "Mine", "address": "secret@northwind.example"})
    assert await note_addresses() == 1
    assert "secret@northwind.example" not in await book(settled)


@pytest.mark.parametrize(
    ("address", "username", "host", "sign_in", "proven"),
    [
        ("ana@northwind.example", "ana@northwind.example", "imap.northwind.example", "password", True),
        ("ana@northwind.example", "ana", "northwind.example", "password", True),
        ("ana@northwind.example", "ana@northwind.example", "imap.elsewhere.example", "password", False),
        ("ana@northwind.example", "ana@northwind.example", "northwind.example.evil.example", "password", False),
        ("ana@northwind.example", "jonas", "imap.northwind.example", "password", False),
        ("ana@gmail.com", "ana@gmail.com", "imap.gmail.com", "password", True),
        ("ana@northwind.example", "ana@northwind.example", "imap.gmail.com", "password", False),
        ("ana@northwind.example", "ana@northwind.example", "imap.gmail.com", "oauth:google", True),
    ],
)
def test_a_sign_in_proves_an_address_where_the_server_is_the_domains(
    address: str, username: str, host: str, sign_in: str, proven: bool
) -> None:
    assert proves(address, username, host, sign_in) is proven


async def test_an_address_whose_mailbox_is_read_here_counts_as_verified(settled: Api) -> None:
    await execute(
        "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
        "smtp_port, smtp_security, smtp_username, credentials, state) VALUES ($1, 'support@northwind.example', "
        "'support@northwind.example', 'imap.northwind.example', 993, 'tls', 'smtp.northwind.example', 465, 'tls', '', "
        """'', '{"mailbox_id": 1, "status": "connecting"}')""",
        settled.support,
    )
    assert await settle_by_accounts() == 0
    await execute("""UPDATE mail_accounts SET state = '{"mailbox_id": 1, "status": "up_to_date"}'""")
    assert await settle_by_accounts() == 1
    assert (await book(settled))["support@northwind.example"].verified_by == "account"
