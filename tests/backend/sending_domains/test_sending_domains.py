"""SPF, DKIM and DMARC of the domains that mail is from, for admins: looked up by a worker at a real name server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backend.database.connection import execute, fetch_row, fetch_value
from backend.identities.contracts import SaveIdentity
from backend.sending_domains import actions
from backend.sending_domains.contracts import DomainRecord, SendingDomain
from backend.workers.sending_domains import look_up_domains
from tests.servers.api import Api, environment
from tests.servers.names import name_server

NORTHWIND = "northwind.example"
SPF = {(NORTHWIND, "TXT"): ['"v=spf1 mx -all"']}


@asynccontextmanager
async def names(folder: Path, records: Mapping[tuple[str, str], list[str]], **settings: str) -> AsyncIterator[None]:
    """Workers ask a name server with these records."""
    async with name_server(records) as (resolver, _):
        with environment(folder, TANDEM_DNS_SERVER=f"127.0.0.1:{resolver.port}", **settings):
            yield


async def look_again(api: Api) -> dict[str, SendingDomain]:
    """Press "Look again", with a worker that does its part."""
    asking = asyncio.create_task(api.ana.post("/sending-domains/look-up", None, list[SendingDomain]))
    while await fetch_row("DELETE FROM pgqueuer WHERE entrypoint = 'look_up_domains' RETURNING id") is None:
        assert not asking.done(), asking.exception()
        await asyncio.sleep(0.02)
    await look_up_domains()
    return {each.name: each for each in await asking}


def record(domain: SendingDomain, kind: str) -> DomainRecord:
    return next(each for each in domain.records if each.kind == kind)


async def test_an_admin_looks_what_a_domain_lacks(api: Api, tmp_path: Path) -> None:
    async with names(tmp_path, SPF):
        domain = (await look_again(api))[NORTHWIND]
    assert "support@northwind.example" in domain.addresses
    assert record(domain, "spf").state == "good"
    missing = record(domain, "dmarc")
    assert missing.state == "missing"
    assert missing.add is not None and missing.add.name == "_dmarc.northwind.example"
    assert await api.ana.get("/sending-domains", list[SendingDomain]) == [domain]


async def test_what_was_changed_is_seen_when_one_looks_again(api: Api, tmp_path: Path) -> None:
    async with names(tmp_path, {}):
        assert record((await look_again(api))[NORTHWIND], "spf").state == "missing"
    async with names(tmp_path, SPF):
        assert record((await look_again(api))[NORTHWIND], "spf").state == "good"


async def test_an_identitys_domain_is_one_and_a_providers_is_none(api: Api, tmp_path: Path) -> None:
    for address in ("shop@bikes.example", "northwind@gmail.com"):
        await api.ana.post("/identities", SaveIdentity(name="Shop", address=address))
    async with names(tmp_path, SPF):
        assert set(await look_again(api)) == {NORTHWIND, "bikes.example"}


async def test_the_domain_of_a_personal_mailbox_stays_its_owners(api: Api, tmp_path: Path) -> None:
    await execute("UPDATE mailboxes SET address = 'tom@private.example' WHERE id = $1", api.toms_mailbox)
    async with names(tmp_path, SPF):
        assert set(await look_again(api)) == {NORTHWIND}


async def test_each_is_looked_up_once_a_day(api: Api, tmp_path: Path) -> None:
    async with names(tmp_path, SPF):
        await look_again(api)
        looked_at = await fetch_value("SELECT looked_at FROM sending_domains")
        await look_up_domains()
        assert await fetch_value("SELECT looked_at FROM sending_domains") == looked_at
        await execute("UPDATE sending_domains SET looked_at = looked_at - interval '25 hours'")
        await look_up_domains()
        assert await fetch_value("SELECT looked_at FROM sending_domains") > looked_at


async def test_without_a_name_server_it_says_that_nobody_could_be_asked(api: Api, tmp_path: Path) -> None:
    with environment(tmp_path, TANDEM_DNS_SERVER="127.0.0.1:9"):
        domain = (await look_again(api))[NORTHWIND]
    assert {each.state for each in domain.records} == {"unknown"}
    async with names(tmp_path, SPF, TANDEM_NETWORK="no"):
        domain = (await look_again(api))[NORTHWIND]
    assert record(domain, "spf").sentence == "This was not asked: Tandem is set to look up nothing."


async def test_without_a_worker_it_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ANSWER_SECONDS", 0.2)
    assert (await api.ana.refused("POST", "/sending-domains/look-up")).status == 503


async def test_only_admins_see_them(api: Api) -> None:
    assert (await api.jonas.refused("GET", "/sending-domains")).status == 403
