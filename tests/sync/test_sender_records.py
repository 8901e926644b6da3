"""What DNS says about a domain that mail is from, asked of a real name server."""

import pytest

from sync.resolver import resolver_at
from sync.sender_records import Finding, look_up
from tests.servers.names import name_server

SHOP = "shop.example"
KEY = '"v=DKIM1; k=rsa; p=MIGfMA0"'
Records = dict[tuple[str, str], list[str]]


def txt(**names: list[str]) -> Records:
    """TXT records of names below the shop's domain: `at` is the domain itself, `__` a dot."""
    return {
        (SHOP if name == "at" else f"{name.replace('__', '.')}.{SHOP}", "TXT"): texts for name, texts in names.items()
    }


async def ask(records: Records, *servers: str, domain: str = SHOP, failing: tuple[str, ...] = ()) -> dict[str, Finding]:
    async with name_server(records, failing) as (resolver, _):
        return {each.kind: each for each in await look_up(domain, servers, resolver)}


async def test_a_domain_that_has_all_three_is_good() -> None:
    found = await ask(
        txt(at=['"v=spf1 mx -all"', '"something=else"'], google___domainkey=[KEY], _dmarc=['"v=DMARC1; p=reject"'])
    )
    assert {kind: each.state for kind, each in found.items()} == {"spf": "good", "dkim": "good", "dmarc": "good"}
    assert found["spf"].records == ("v=spf1 mx -all",)
    assert "under the name google" in found["dkim"].sentence
    assert "is refused" in found["dmarc"].sentence


async def test_a_domain_that_has_nothing_is_told_what_to_add() -> None:
    found = await ask({}, "smtp.gmail.com", "mail.shop.example")
    assert {each.state for each in found.values()} == {"missing"}
    spf, dmarc = found["spf"].add, found["dmarc"].add
    assert spf == (SHOP, "v=spf1 include:_spf.google.com a:mail.shop.example ~all") or spf == (
        SHOP,
        "v=spf1 a:mail.shop.example include:_spf.google.com ~all",
    )
    assert dmarc == (f"_dmarc.{SHOP}", f"v=DMARC1; p=none; rua=mailto:postmaster@{SHOP}")
    assert found["dkim"].add is None and f"NAME._domainkey.{SHOP}" in found["dkim"].remedy


@pytest.mark.parametrize(
    ("record", "server", "state", "add"),
    [
        ("v=spf1 mx ~all", "smtp.gmail.com", "wrong", "v=spf1 mx include:_spf.google.com ~all"),
        ("v=spf1 include:_spf.google.com -all", "smtp.gmail.com", "good", None),
        ("v=spf1 include:team.example -all", "smtp.office365.com", "good", None),
        ("v=spf1 redirect=team.example", "smtp.office365.com", "good", None),
        ("v=spf1 mx +all", "mail.shop.example", "wrong", "v=spf1 mx ~all"),
        ("v=spf1 mx ?all", "mail.shop.example", "weak", "v=spf1 mx ~all"),
        ("v=spf1 mx", "mail.shop.example", "weak", "v=spf1 mx ~all"),
        ("v=spf1 " + "a mx " * 6 + "~all", "mail.shop.example", "wrong", None),
    ],
)
async def test_spf(record: str, server: str, state: str, add: str | None) -> None:
    records = txt(at=[f'"{record}"'])
    records["team.example", "TXT"] = ['"v=spf1 include:spf.protection.outlook.com -all"']
    spf = (await ask(records, server))["spf"]
    assert (spf.state, spf.add.value if spf.add else None) == (state, add)


async def test_two_spf_records_are_an_error() -> None:
    spf = (await ask(txt(at=['"v=spf1 mx ~all"', '"v=spf1 a ~all"'])))["spf"]
    assert (spf.state, len(spf.records)) == ("wrong", 2)


async def test_records_that_include_each_other_end() -> None:
    records = txt(at=['"v=spf1 include:shop.example ~all"'])
    assert (await ask(records))["spf"].state == "wrong"


@pytest.mark.parametrize(
    ("names", "state"),
    [
        ({"selector1___domainkey": [KEY]}, "good"),
        ({"default___domainkey": ['"v=DKIM1; p="']}, "wrong"),
        ({"default___domainkey": ['"v=DKIM1; t=y; p=MIGfMA0"']}, "weak"),
        ({"x2026___domainkey": [KEY]}, "unknown"),
        ({"www": ['"hello"']}, "missing"),
    ],
)
async def test_dkim(names: dict[str, list[str]], state: str) -> None:
    assert (await ask(txt(**names)))["dkim"].state == state


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (['"v=DMARC1; p=none; rua=mailto:x@shop.example"'], "weak"),
        (['"v=DMARC1;p=quarantine"'], "good"),
        (['"v=DMARC1; rua=mailto:x@shop.example"'], "wrong"),
        (['"v=DMARC1; p=reject"', '"v=DMARC1; p=none"'], "wrong"),
        (['"not this"'], "missing"),
    ],
)
async def test_dmarc(texts: list[str], state: str) -> None:
    assert (await ask(txt(_dmarc=texts)))["dmarc"].state == state


async def test_a_domain_below_follows_the_dmarc_record_above() -> None:
    records = txt(_dmarc=['"v=DMARC1; p=none; sp=reject"'])
    dmarc = (await ask(records, domain=f"mail.{SHOP}"))["dmarc"]
    assert (dmarc.state, f"of {SHOP}" in dmarc.sentence) == ("good", True)


async def test_what_a_name_server_cannot_find_out_is_not_held_against_the_domain() -> None:
    found = await ask(txt(_dmarc=['"v=DMARC1; p=reject"']), failing=(SHOP,))
    assert (found["spf"].state, found["spf"].add) == ("unknown", None)
    assert found["dmarc"].state == "good"


async def test_without_a_name_server_nothing_fails(unused_tcp_port: int = 9) -> None:
    found = await look_up(SHOP, [], resolver_at(("127.0.0.1", unused_tcp_port)))
    assert [each.state for each in found] == ["unknown"] * 3
    assert all("could not be asked" in each.sentence for each in found)
