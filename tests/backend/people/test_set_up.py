"""The first start: one owner, of however many who try."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.database.connection import fetch, fetch_value
from backend.people.contracts import Me, SetUp, SetUpState
from tests.servers.api import PASSWORD, Caller, environment, running


@pytest.fixture
async def fresh(database_url: str, tmp_path: Path) -> AsyncIterator[Caller]:
    """A browser at an installation that nobody has set up."""
    with environment(tmp_path):
        async with running(database_url) as application:
            yield Caller(application)


def wanted(name: str = "Ana Ribeiro", **changes: str) -> SetUp:
    given = {"organisation_name": "Northwind Bikes", "email": "Ana@Northwind.example", "password": PASSWORD}
    return SetUp(name=name, **(given | changes))


async def test_a_fresh_installation_waits_for_its_owner(fresh: Caller) -> None:
    state = await fresh.get("/set-up", SetUpState)
    assert state == SetUpState(needs_set_up=True, organisation_name="", can_mail_passwords=False)


async def test_the_first_person_becomes_the_owner_and_is_signed_in(fresh: Caller) -> None:
    made = await fresh.post("/set-up", wanted(), Me)
    assert (made.person.role, made.person.email) == ("owner", "ana@northwind.example")
    assert await fresh.get("/me", Me) == made
    state = await fresh.get("/set-up", SetUpState)
    assert (state.needs_set_up, state.organisation_name) == (False, "Northwind Bikes")


async def test_of_several_at_once_one_succeeds(fresh: Caller) -> None:
    tries = [
        fresh.request("POST", "/set-up", wanted(f"Person {number}", email=f"p{number}@northwind.example"))
        for number in range(5)
    ]
    await fresh.get("/health")
    statuses = sorted(reply.status_code for reply in await asyncio.gather(*tries))
    assert statuses == [201, 409, 409, 409, 409]
    assert await fetch_value("SELECT count(*) FROM users") == 1
    assert await fetch_value("SELECT count(*) FROM sessions") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("organisation_name", "  "),
        ("name", "two\nlines"),
        ("email", "not an address"),
        ("password", "too short"),
        ("password", "ana@northwind.example"),
        ("password", "aaaaaaaaaaaaaaa"),
    ],
)
async def test_what_is_wrong_is_named(fresh: Caller, field: str, value: str) -> None:
    refusal = await fresh.refused("POST", "/set-up", wanted(**{field: value}))
    assert (refusal.status, list(refusal.details["fields"])) == (422, [field])
    assert await fetch("SELECT 1 FROM users") == []


async def test_an_unknown_field_is_an_error(fresh: Caller) -> None:
    body = {"organisation_name": "N", "name": "A", "email": "a@b.example", "password": PASSWORD, "role": "owner"}
    assert (await fresh.refused("POST", "/set-up", body)).status == 422
