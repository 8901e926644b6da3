"""Shortcuts of one's own: stored per person, and told to their other tabs."""

import pytest

from backend.people.contracts import Me, MeChanged, SetShortcuts
from tests.servers.api import Api


async def test_they_are_one_persons(api: Api) -> None:
    me = await api.jonas.put("/me/shortcuts", SetShortcuts(shortcuts={"done": "y", "go-drafts": "g e"}), Me)
    assert me.shortcuts == {"done": "y", "go-drafts": "g e"}
    assert (await api.jonas.get("/me", Me)).shortcuts == me.shortcuts
    assert (await api.ana.get("/me", Me)).shortcuts == {}


async def test_what_is_not_named_is_as_it_was_made(api: Api) -> None:
    await api.jonas.put("/me/shortcuts", SetShortcuts(shortcuts={"done": "y"}))
    assert (await api.jonas.put("/me/shortcuts", SetShortcuts(shortcuts={}), Me)).shortcuts == {}


async def test_other_tabs_hear_of_it(served: Api) -> None:
    async with served.live(served.jonas) as live:
        await served.jonas.put("/me/shortcuts", SetShortcuts(shortcuts={"done": "y"}))
        assert (await live.event(MeChanged)).me.shortcuts == {"done": "y"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"done": "y", "star": "y"},
        {"done": ""},
        {"done": "  "},
        {"done": "abc"},
        {"done": "g e f"},
        {"done": "\n"},
        {"Done!": "y"},
        {f"c{'o' * 50}": "y"},
        {
            f"command-{'ab'[n // 26 % 2]}{chr(97 + n % 26)}-{chr(97 + n // 52)}": f"g {chr(0x100 + n)}"
            for n in range(201)
        },
    ],
)
async def test_what_is_no_shortcut_is_refused(api: Api, wrong: dict[str, str]) -> None:
    refused = await api.ana.refused("PUT", "/me/shortcuts", {"shortcuts": wrong})
    assert refused.status == 422
    assert (await api.ana.get("/me", Me)).shortcuts == {}
