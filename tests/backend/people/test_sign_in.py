"""Signing in and out, and what stops those who guess."""

import asyncio
import statistics
import time

import pytest
from websockets.exceptions import ConnectionClosed

from backend.database.connection import execute, fetch_value
from backend.events.contracts import ClosingFrame
from backend.people.attempts import PER_ACCOUNT, network_of
from backend.people.contracts import Me, SignIn, UpdatePerson
from backend.people.sessions import COOKIE
from tests.servers.api import PASSWORD, Api


async def test_the_password_opens_a_session(api: Api) -> None:
    browser = api.stranger()
    assert (await browser.refused("GET", "/me")).error == "not_signed_in"
    me = await browser.sign_in("  Jonas@Northwind.example ")
    assert me.person.id == api.jonas.user_id
    assert await browser.get("/me", Me) == me


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(api: Api) -> None:
    reply = await api.stranger().request("POST", "/sign-in", SignIn(email=api.ana.email, password=PASSWORD))
    cookie = next(line for line in reply.headers.get_list("set-cookie") if line.startswith(COOKIE))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", f"max-age={30 * 24 * 3600}"} <= attributes
    assert "secure" not in attributes  # the installation of the tests is served without TLS


async def test_only_hashes_are_stored(api: Api) -> None:
    secret = api.ana.client.cookies[COOKIE]
    stored = await fetch_value("SELECT string_agg(token_hash, ' ') FROM sessions")
    assert secret not in stored
    assert (await fetch_value("SELECT password_hash FROM users LIMIT 1")).startswith("$argon2id$")


async def test_wrong_unknown_and_closed_look_the_same(api: Api) -> None:
    await api.ana.patch(f"/people/{api.tom.user_id}", UpdatePerson(active=False))
    tries = [(api.jonas.email, "not my password"), ("nobody@northwind.example", PASSWORD), (api.tom.email, PASSWORD)]
    answers = [
        await api.stranger().refused("POST", "/sign-in", SignIn(email=email, password=password))
        for email, password in tries
    ]
    assert answers[0].status == 401
    assert answers[0] == answers[1] == answers[2]


async def test_an_unknown_address_takes_as_long(api: Api) -> None:
    async def seconds(email: str) -> float:
        spent = []
        for _ in range(5):
            started = time.perf_counter()
            await api.stranger().refused("POST", "/sign-in", SignIn(email=email, password="not the password"))
            spent.append(time.perf_counter() - started)
        return statistics.median(spent)

    known, unknown = await seconds(api.jonas.email), await seconds("nobody@northwind.example")
    # Checking a hash takes most of the time; without it an answer comes in a tenth.
    assert unknown > known / 3


async def test_ten_wrong_passwords_close_the_account_for_a_while(api: Api) -> None:
    wrong, right = (SignIn(email=api.jonas.email, password=word) for word in ("a wrong password", PASSWORD))
    for _ in range(PER_ACCOUNT):
        assert (await api.stranger().refused("POST", "/sign-in", wrong)).status == 401
    assert (await api.stranger().refused("POST", "/sign-in", right)).status == 429
    await execute("UPDATE sign_in_failures SET at = at - interval '16 minutes'")
    await api.stranger().sign_in(api.jonas.email)
    # Having shown who they are, they begin to count anew.
    assert await fetch_value("SELECT count(*) FROM sign_in_failures WHERE subject LIKE 'account%'") == 0


async def test_many_at_once_get_no_further(api: Api) -> None:
    wrong = SignIn(email=api.jonas.email, password="a wrong password")
    replies = await asyncio.gather(*(api.stranger().request("POST", "/sign-in", wrong) for _ in range(25)))
    checked = [reply.status_code for reply in replies].count(401)
    assert checked <= PER_ACCOUNT


async def test_an_address_that_tries_everybody_is_stopped(api: Api) -> None:
    subject = network_of("127.0.0.1")
    await execute("INSERT INTO sign_in_failures (subject, at) SELECT $1, now() FROM generate_series(1, 50)", subject)
    refusal = await api.stranger().refused("POST", "/sign-in", SignIn(email=api.jonas.email, password=PASSWORD))
    assert (refusal.status, refusal.error) == (429, "too_many_attempts")


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "address 192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "address 2001:db8:1:2::/64"),
        ("fe80::1%eth0", "address fe80::/64"),
        ("", "address unknown"),
    ],
)
def test_what_is_counted_of_an_address(host: str, counted: str) -> None:
    assert network_of(host) == counted


async def test_signing_out_ends_this_session_and_its_sockets(served: Api) -> None:
    other = served.stranger()
    await other.sign_in(served.jonas.email)
    async with served.live(served.jonas) as live:
        await served.jonas.post("/sign-out")
        frame = await live.next()
        while not isinstance(frame, ClosingFrame):
            frame = await live.next()
        assert frame.reason == "signed_out"
        with pytest.raises(ConnectionClosed):
            await live.next()
    assert (await served.jonas.refused("GET", "/me")).status == 401
    await other.get("/me")


async def test_an_ended_session_opens_nothing(api: Api) -> None:
    await execute("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1", api.tom.user_id)
    assert (await api.tom.refused("GET", "/mailboxes")).status == 401


async def test_signing_in_again_ends_the_browsers_earlier_session(api: Api) -> None:
    browser = api.stranger()
    await browser.sign_in(api.jonas.email)
    earlier = browser.client.cookies[COOKIE]
    await browser.sign_in(api.tom.email)
    assert browser.client.cookies[COOKIE] != earlier
    replayed = api.stranger()
    replayed.client.cookies.set(COOKIE, earlier, domain="tandem.example")
    assert (await replayed.refused("GET", "/me")).status == 401
