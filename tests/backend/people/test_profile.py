"""One's own profile, password and API tokens."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.events.contracts import ClosingFrame
from backend.people.contracts import (
    ApiToken,
    ChangePassword,
    CreateToken,
    Me,
    MeChanged,
    PersonChanged,
    TokenCreated,
    UpdateProfile,
)
from tests.servers.api import PASSWORD, Api, Caller

NEW_PASSWORD = "another long sentence"


async def test_a_name_is_told_to_everybody_the_rest_to_oneself(served: Api) -> None:
    async with served.live(served.jonas) as own, served.live(served.mallory) as others:
        await served.jonas.patch("/me", UpdateProfile(time_zone="Europe/Lisbon"))
        me = await served.jonas.patch("/me", UpdateProfile(name="Jonas Dahl"), Me)
        assert (await own.event(MeChanged)).me.time_zone == "Europe/Lisbon"
        assert (await own.event(MeChanged)).me == me
        assert (await others.event(PersonChanged)).person == me.person
        assert not [frame for frame in others.frames if "Lisbon" in repr(frame)]


async def test_who_is_away_is_seen_by_everybody_until_they_are_back(served: Api) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    async with served.live(served.mallory) as others:
        me = await served.jonas.patch("/me", UpdateProfile(away_until=until), Me)
        assert me.person.away_until == until
        assert (await others.event(PersonChanged)).person == me.person
        await served.jonas.patch("/me", UpdateProfile(away_until=None))
        assert (await others.event(PersonChanged)).person.away_until is None


@pytest.mark.parametrize("days", [-1, 400])
async def test_nobody_is_away_until_a_moment_that_is_past_or_too_far(api: Api, days: int) -> None:
    until = UpdateProfile(away_until=datetime.now(UTC) + timedelta(days=days))
    refusal = await api.jonas.refused("PATCH", "/me", until)
    assert (refusal.status, list(refusal.details["fields"])) == (422, ["away_until"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "a\x00b"), ("time_zone", "Mars/Base"), ("locale", "english"), ("theme", "pink")],
)
async def test_what_does_not_exist_is_refused(api: Api, field: str, value: str) -> None:
    assert (await api.jonas.refused("PATCH", "/me", {field: value})).status == 422


async def test_a_new_password_signs_out_everywhere_else(served: Api) -> None:
    other = served.stranger()
    await other.sign_in(served.jonas.email)
    async with served.live(served.jonas) as own:
        await served.jonas.post("/me/password", ChangePassword(current=PASSWORD, new=NEW_PASSWORD))
        assert (await other.refused("GET", "/me")).status == 401
        await served.jonas.patch("/me", UpdateProfile(theme="light"))
        assert (await own.event(MeChanged)).me.theme == "light"
    await served.stranger().refused("POST", "/sign-in", {"email": served.jonas.email, "password": PASSWORD})
    await served.stranger().sign_in(served.jonas.email, NEW_PASSWORD)


async def test_the_current_password_is_asked_for(api: Api) -> None:
    wrong = ChangePassword(current="not this one", new=NEW_PASSWORD)
    refusal = await api.jonas.refused("POST", "/me/password", wrong)
    assert (refusal.status, list(refusal.details["fields"])) == (422, ["current"])


async def test_guessing_the_current_password_is_limited(api: Api) -> None:
    wrong = ChangePassword(current="not this one", new=NEW_PASSWORD)
    statuses = [(await api.jonas.request("POST", "/me/password", wrong)).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


async def test_an_api_token_acts_as_its_person(api: Api) -> None:
    created = await api.jonas.post("/me/tokens", CreateToken(name="Reports"), TokenCreated)
    assert created.secret.startswith(created.token.prefix)
    program = bearer(api.stranger(), created.secret)
    assert (await program.get("/me", Me)).person.id == api.jonas.user_id
    # It carries no cookie, so no form of another site can use it: no token against foreign forms is needed.
    await program.request("PATCH", "/me", UpdateProfile(name="J."))
    listed = await api.jonas.get("/me/tokens", list[ApiToken])
    assert [(token.name, token.last_used_at is not None) for token in listed] == [("Reports", True)]


async def test_a_deleted_token_opens_nothing_and_its_sockets_close(served: Api) -> None:
    created = await served.jonas.post("/me/tokens", CreateToken(name="Reports"), TokenCreated)
    async with served.live(served.jonas, headers={"authorization": f"Bearer {created.secret}"}) as live:
        await served.jonas.delete(f"/me/tokens/{created.token.id}")
        frame = await live.next()
        while not isinstance(frame, ClosingFrame):
            frame = await live.next()
    assert (await bearer(served.stranger(), created.secret).refused("GET", "/me")).status == 401


async def test_nobody_deletes_the_token_of_somebody_else(api: Api) -> None:
    created = await api.jonas.post("/me/tokens", CreateToken(name="Reports"), TokenCreated)
    assert (await api.ana.refused("DELETE", f"/me/tokens/{created.token.id}")).status == 404
    assert len(await api.jonas.get("/me/tokens", list[ApiToken])) == 1


async def test_a_token_cannot_sign_out(api: Api) -> None:
    created = await api.jonas.post("/me/tokens", CreateToken(name="Reports"), TokenCreated)
    program = bearer(api.stranger(), created.secret)
    assert (await program.refused("POST", "/sign-out")).status == 400


def bearer(caller: Caller, secret: str) -> Caller:
    caller.client.headers["authorization"] = f"Bearer {secret}"
    return caller
