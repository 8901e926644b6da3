"""Connecting a mailbox to its account, connecting again, disconnecting; and where no password ever stands."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from backend.accounts.actions import report_state
from backend.accounts.contracts import (
    AccountSettings,
    AccountState,
    AccountStateChanged,
    ConnectAccount,
    Discover,
    FoundServers,
)
from backend.accounts.credentials import Passwords, open_passwords
from backend.conversations.contracts import ConversationPage
from backend.database.connection import fetch, fetch_row, fetch_value
from backend.mailboxes.contracts import Mailbox, MailboxChanged
from backend.settings import settings
from tests.backend.accounts.conftest import server
from tests.servers.api import Api
from tests.servers.delivery import deliver
from tests.servers.dovecot import Dovecot

Typed = Callable[..., ConnectAccount]

pytestmark = pytest.mark.usefixtures("worker", "private_servers")


async def connect(api: Api, given: ConnectAccount) -> AccountSettings:
    return await api.ana.put(f"/mailboxes/{api.support}/account", given, AccountSettings)


async def account_id(api: Api) -> int:
    return await fetch_value("SELECT id FROM mail_accounts WHERE mailbox_id = $1", api.support)


@asynccontextmanager
async def heard(api: Api) -> AsyncIterator[list[str]]:
    """What watchers are told while the block runs."""
    said: list[str] = []
    listener = await asyncpg.connect(api.dsn)
    try:
        await listener.add_listener("tandem_accounts", lambda *call: said.append(str(call[-1])))
        yield said
        await asyncio.sleep(0.1)
    finally:
        await listener.close()


async def test_an_account_is_stored_with_its_password_sealed(api: Api, typed: Typed, dovecot: Dovecot) -> None:
    async with heard(api) as said:
        shown = await connect(api, typed(smtp_username="support", smtp_password="correct-horse"))
    row = await fetch_row("SELECT * FROM mail_accounts")
    assert row is not None
    assert said == [str(row["id"])]
    assert open_passwords(settings(), row["credentials"]) == Passwords(imap="correct-horse", smtp="correct-horse")
    assert shown.imap == server(dovecot.imap_port)
    assert (shown.address, shown.smtp_username) == ("support@northwind.example", "support")
    assert shown.state == AccountState(mailbox_id=api.support, status="connecting")
    assert datetime.now(UTC) - row["connected_at"] < timedelta(minutes=1)
    assert await api.ana.get(f"/mailboxes/{api.support}/account", AccountSettings) == shown


async def test_servers_that_do_not_work_are_not_stored(api: Api, typed: Typed) -> None:
    refusal = await api.ana.refused("PUT", f"/mailboxes/{api.support}/account", typed(password="wrong-one"))
    assert refusal.status == 422
    assert refusal.message == "127.0.0.1 does not accept this user name and password."
    assert [(each["server"], each["ok"]) for each in refusal.details["checks"]] == [("imap", False), ("smtp", False)]
    assert await fetch_value("SELECT count(*) FROM mail_accounts") == 0


async def test_readers_see_the_account_come_report_and_go(served: Api, typed: Typed) -> None:
    api = served
    async with api.live(api.jonas) as live:
        await connect(api, typed())
        account = (await live.event(MailboxChanged)).mailbox.account
        assert account is not None and account.status == "connecting"
        failed = AccountState(mailbox_id=api.support, status="needs_you", reason="Wrong.", remedy="Type it again.")
        await report_state(await account_id(api), failed)
        assert (await live.event(AccountStateChanged)).state == failed
        [mailbox] = await api.jonas.get("/mailboxes", list[Mailbox])
        assert mailbox.account == failed
        await api.ana.delete(f"/mailboxes/{api.support}/account")
        assert (await live.event(MailboxChanged)).mailbox.account is None


async def test_a_report_that_says_nothing_new_is_no_event(api: Api, typed: Typed) -> None:
    await connect(api, typed())
    number = await account_id(api)
    events = "SELECT count(*) FROM events WHERE body ->> 'type' = 'account_state_changed'"
    now = datetime.now(UTC)
    for seconds in (0, 1, 30, 61, 62):
        checked = now + timedelta(seconds=seconds)
        await report_state(number, AccountState(mailbox_id=api.support, status="up_to_date", checked_at=checked))
    assert await fetch_value(events) == 2
    await report_state(number, AccountState(mailbox_id=api.support, status="syncing", done=1, total=9))
    await report_state(number, AccountState(mailbox_id=api.support, status="syncing", done=1, total=9))
    assert await fetch_value(events) == 3
    await report_state(number + 1, AccountState(mailbox_id=api.support, status="paused"))
    assert await fetch_value(events) == 3


async def test_a_new_password_goes_on_where_the_account_was(api: Api, typed: Typed) -> None:
    await deliver(api.support)
    given = typed()
    await connect(api, given)
    before = await fetch_row("SELECT id, fence, connected_at FROM mail_accounts")
    assert before is not None
    async with heard(api) as said:
        await connect(api, given)
    after = await fetch_row("SELECT id, fence, connected_at FROM mail_accounts")
    assert after is not None
    assert (after["id"], after["connected_at"]) == (before["id"], before["connected_at"])
    assert after["fence"] > before["fence"], "who held the account before can write no more"
    assert said == [str(before["id"])]


async def test_another_user_name_is_another_account_and_the_mail_stays(api: Api, typed: Typed) -> None:
    conversation_id = await deliver(api.support)
    await connect(api, typed())
    first = await account_id(api)
    await connect(api, typed(username="somebody-else"))
    assert await account_id(api) != first
    assert await fetch_value("SELECT count(*) FROM folders WHERE account_id = $1", first) == 0
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert [item.row.id for item in page.items] == [conversation_id]


async def test_disconnecting_forgets_the_password_and_keeps_the_mail(api: Api, typed: Typed) -> None:
    conversation_id = await deliver(api.support)
    await connect(api, typed())
    number = await account_id(api)
    async with heard(api) as said:
        await api.ana.delete(f"/mailboxes/{api.support}/account")
    assert said == [str(number)]
    assert await fetch_value("SELECT count(*) FROM mail_accounts") == 0
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert [item.row.id for item in page.items] == [conversation_id]
    for method in ("GET", "DELETE"):
        assert (await api.ana.refused(method, f"/mailboxes/{api.support}/account")).status == 404


async def test_what_was_done_is_on_record(api: Api, typed: Typed) -> None:
    await connect(api, typed())
    await connect(api, typed())
    await api.ana.delete(f"/mailboxes/{api.support}/account")
    rows = await fetch("SELECT actor_id, action, subject FROM audit_entries WHERE action LIKE 'account%' ORDER BY id")
    assert [row["action"] for row in rows] == ["account_connected", "account_reauthorised", "account_disconnected"]
    assert {(row["actor_id"], row["subject"]) for row in rows} == {(api.ana.user_id, f"mailbox:{api.support}")}


async def test_only_those_who_may_change_the_mailbox_reach_its_account(api: Api, typed: Typed) -> None:
    given = typed()
    requests = [
        ("GET", "account", None),
        ("PUT", "account", given),
        ("DELETE", "account", None),
        ("POST", "account/check", given),
        ("POST", "account/discover", Discover(address="ana@example.org")),
    ]
    for person, mailbox_id, status in (
        (api.jonas, api.support, 403),
        (api.mallory, api.support, 404),
        (api.ana, api.toms_mailbox, 404),
        (api.stranger(), api.support, 401),
    ):
        for method, path, body in requests:
            refusal = await person.refused(method, f"/mailboxes/{mailbox_id}/{path}", body)
            assert refusal.status == status, (method, path)
    await api.tom.put(f"/mailboxes/{api.toms_mailbox}/account", given, AccountSettings)


async def test_no_password_stands_anywhere_in_clear(
    api: Api, typed: Typed, caplog: pytest.LogCaptureFixture, dovecot: Dovecot
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "Wrong-Horse-Battery"
    answers = [
        await api.ana.request("PUT", f"/mailboxes/{api.support}/account", given)
        for given in (typed(password=wrong), typed(smtp_password=wrong), typed())
    ]
    answers.append(await api.ana.request("POST", f"/mailboxes/{api.support}/account/check", typed(password=wrong)))
    answers.append(await api.ana.request("GET", f"/mailboxes/{api.support}/account"))
    tables = [row["name"] for row in await fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")]
    stored = [row["text"] for table in tables for row in await fetch(f'SELECT t::text AS text FROM "{table}" t')]
    assert len(stored) > 20
    everything = "\n".join([*stored, *(answer.text for answer in answers), caplog.text]).lower()
    for password in (dovecot.password, wrong):
        assert password.lower() not in everything
        assert password.encode().hex() not in everything
    assert await fetch_value("SELECT count(*) FROM connection_attempts") == 0


async def test_servers_are_found_without_asking_the_network(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_NETWORK", "no")
    settings.cache_clear()
    known = await api.mallory.post("/discover", Discover(address="Someone@GMAIL.com"), list[FoundServers])
    assert (known[0].source, known[0].imap.host, known[0].sign_in) == ("known", "imap.gmail.com", "app_password")
    assert "app password" in known[0].hint.lower()
    path = f"/mailboxes/{api.support}/account/discover"
    guessed = await api.ana.post(path, Discover(address="support@northwind.example"), list[FoundServers])
    assert {each.source for each in guessed} == {"guess"}
    assert msgspec.structs.asdict(guessed[0].imap) == {
        "host": "imap.northwind.example",
        "port": 993,
        "security": "tls",
    }
    for wrong in ("", "nobody", "a@b@c d", "x" * 300 + "@example.org", "a@\x00"):
        assert (await api.ana.refused("POST", "/discover", Discover(address=wrong))).status == 422
