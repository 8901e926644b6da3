"""The session cookie of a page that is not ours opens nothing: no write, no read that a script could see, no socket."""

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from backend.people.contracts import UpdateProfile
from tests.servers.api import ORIGIN, Api

FOREIGN = {"origin": "https://evil.example"}


async def test_a_foreign_page_cannot_write(api: Api) -> None:
    refusal = await api.ana.refused("PATCH", "/me", UpdateProfile(name="Mallory"), headers=FOREIGN)
    assert refusal.status == 401
    assert (await api.ana.get("/me"))["person"]["name"] == "Ana Ribeiro"


async def test_a_foreign_page_cannot_read(api: Api) -> None:
    assert (await api.ana.refused("GET", "/mailboxes", headers=FOREIGN)).status == 401


async def test_a_write_without_the_token_is_refused(api: Api) -> None:
    refusal = await api.ana.refused("PATCH", "/me", UpdateProfile(name="Mallory"), headers={"x-csrf-token": "guessed"})
    assert refusal.status == 403


async def test_our_own_pages_can(api: Api) -> None:
    await api.ana.request("PATCH", "/me", UpdateProfile(name="Ana R."), headers={"origin": ORIGIN})
    assert (await api.ana.get("/me"))["person"]["name"] == "Ana R."


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://tandem.example.evil.example"])
async def test_a_foreign_page_opens_no_socket(served: Api, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with served.live(served.ana, headers={"cookie": served.ana.cookie_header, "origin": origin}):
            pass
    assert caught.value.response.status_code in (401, 403)


async def test_our_own_pages_open_the_socket(served: Api) -> None:
    own = {"cookie": served.ana.cookie_header, "origin": ORIGIN}
    async with served.live(served.ana, headers=own) as live:
        await served.ana.patch("/me", UpdateProfile(theme="dark"))
        assert (await live.next()) is not None


async def test_a_socket_needs_somebody(served: Api) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"ws://127.0.0.1:{served.port}/api/v1/live", proxy=None):
            pass
    assert caught.value.response.status_code in (401, 403)
