"""Who is in a conversation: told at once to those who see it and want to hear of it, to nobody else, and not kept."""

import asyncio

import msgspec
import pytest

from backend.conversations.contracts import SetVisibility
from backend.events import presence
from backend.events.contracts import ClientFrame, ClosingFrame, Doing, Looking, PeopleIn, PresenceFrame, Watch
from tests.servers.api import Api, Live
from tests.servers.delivery import deliver

QUIET_SECONDS = 0.4


@pytest.fixture(autouse=True)
def hasty_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are told of as soon as conversations that somebody is in."""
    monkeypatch.setattr(presence, "ROWS", 0.0)


async def say(live: Live, frame: ClientFrame) -> None:
    await live.socket.send(msgspec.json.encode(frame).decode())


async def told(live: Live) -> PeopleIn:
    """The next word about the one conversation that is watched."""
    while not isinstance(frame := await live.next(), PresenceFrame):
        continue
    [people] = frame.conversations
    return people


async def hears_nothing(live: Live) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(QUIET_SECONDS):
            await told(live)


def there(frame: PeopleIn) -> dict[int, Doing]:
    return {each.user_id: each.doing for each in frame.people}


async def test_a_colleague_sees_who_reads_who_replies_and_who_left(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.ana) as ana, served.live(served.jonas) as jonas:
        await say(ana, Watch(conversation_ids=[number]))
        for doing in presence.DOINGS:
            await say(jonas, Looking(conversation_id=number, doing=doing))
            frame = await told(ana)
            assert (frame.conversation_id, there(frame)) == (number, {served.jonas.user_id: doing})
        await say(jonas, Looking(conversation_id=None))
        assert there(await told(ana)) == {}


async def test_who_comes_later_is_told_who_is_there(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.jonas) as jonas:
        await say(jonas, Looking(conversation_id=number))
        await asyncio.sleep(0.2)
        async with served.live(served.ana) as ana:
            await say(ana, Watch(conversation_ids=[number]))
            assert there(await told(ana)) == {served.jonas.user_id: "reading"}


async def test_a_closed_socket_ends_it_at_once(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.ana) as ana:
        await say(ana, Watch(conversation_ids=[number]))
        async with served.live(served.jonas) as jonas:
            await say(jonas, Looking(conversation_id=number))
            assert there(await told(ana))
        assert there(await told(ana)) == {}


async def test_of_two_windows_the_most_is_told_and_one_does_not_hear_of_oneself(served: Api) -> None:
    number = await deliver(served.support)
    async with (
        served.live(served.ana) as ana,
        served.live(served.jonas) as jonas,
        served.live(served.jonas) as jonas_phone,
    ):
        for live in (ana, jonas_phone):
            await say(live, Watch(conversation_ids=[number]))
        await say(jonas, Looking(conversation_id=number, doing="replying"))
        assert there(await told(ana)) == {served.jonas.user_id: "replying"}
        await say(jonas_phone, Looking(conversation_id=number))
        await hears_nothing(ana)
        await say(jonas, Looking(conversation_id=None))
        assert there(await told(ana)) == {served.jonas.user_id: "reading"}
        await hears_nothing(jonas_phone)


async def test_what_is_watched_no_longer_is_told_as_empty(served: Api) -> None:
    number, other = await deliver(served.support), await deliver(served.support)
    async with served.live(served.ana) as ana, served.live(served.jonas) as jonas:
        await say(ana, Watch(conversation_ids=[number]))
        await say(jonas, Looking(conversation_id=number))
        assert there(await told(ana))
        await say(ana, Watch(conversation_ids=[other]))
        frame = await told(ana)
        assert (frame.conversation_id, frame.people) == (number, [])
        await say(jonas, Looking(conversation_id=number, doing="replying"))
        await hears_nothing(ana)


async def test_nobody_hears_of_a_conversation_that_is_not_for_them(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.mallory) as mallory, served.live(served.jonas) as jonas:
        await say(mallory, Watch(conversation_ids=[number]))
        await say(jonas, Looking(conversation_id=number))
        await hears_nothing(mallory)


async def test_somebody_who_does_not_see_a_conversation_is_not_in_it(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.mallory) as mallory, served.live(served.ana) as ana:
        await say(ana, Watch(conversation_ids=[number]))
        await say(mallory, Looking(conversation_id=number, doing="replying"))
        await hears_nothing(ana)


async def test_what_became_confidential_is_told_of_no_more(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.jonas) as jonas, served.live(served.ana) as ana:
        await say(jonas, Watch(conversation_ids=[number]))
        await say(ana, Looking(conversation_id=number))
        assert there(await told(jonas)) == {served.ana.user_id: "reading"}
        await served.ana.put(f"/conversations/{number}/visibility", SetVisibility(visibility="confidential"))
        await say(ana, Looking(conversation_id=number, doing="replying"))
        await say(ana, Looking(conversation_id=None))
        await hears_nothing(jonas)


async def test_who_lost_the_mailbox_hears_nothing_more(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.jonas) as jonas, served.live(served.ana) as ana:
        await say(jonas, Watch(conversation_ids=[number]))
        body = {"member_ids": [served.ana.user_id], "team_ids": []}
        await served.ana.put(f"/mailboxes/{served.support}/members", body)
        await say(ana, Looking(conversation_id=number))
        await hears_nothing(jonas)


async def test_who_says_nothing_any_more_has_left(served: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await deliver(served.support)
    monkeypatch.setattr(presence, "LASTING", 0.3)
    async with served.live(served.ana) as ana, served.live(served.jonas) as jonas:
        await say(ana, Watch(conversation_ids=[number]))
        await say(jonas, Looking(conversation_id=number))
        assert there(await told(ana)) == {served.jonas.user_id: "reading"}
        assert there(await told(ana)) == {}


async def test_a_client_that_talks_too_much_costs_one_word_in_a_tick(served: Api) -> None:
    number = await deliver(served.support)
    async with served.live(served.ana) as ana, served.live(served.jonas) as jonas:
        await say(ana, Watch(conversation_ids=[number]))
        for _ in range(300):
            await say(jonas, Looking(conversation_id=number))
            await say(jonas, Looking(conversation_id=number, doing="replying"))
        await hears_nothing_but(ana, {served.jonas.user_id: "replying"})
    assert len([frame for frame in ana.frames if isinstance(frame, PresenceFrame)]) < 60


async def hears_nothing_but(live: Live, last: dict[int, Doing]) -> None:
    """Read on until it is quiet; what was told last is this."""
    heard: dict[int, Doing] = {}
    try:
        while True:
            async with asyncio.timeout(QUIET_SECONDS * 2):
                heard = there(await told(live))
    except TimeoutError:
        assert heard == last


async def test_rows_are_told_of_now_and_then_and_the_conversation_one_is_in_at_once(
    served: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "ROWS", 1.0)
    near, far = await deliver(served.support), await deliver(served.support)
    async with served.live(served.ana) as ana, served.live(served.jonas) as jonas:
        await say(ana, Watch(conversation_ids=[near, far]))
        await say(ana, Looking(conversation_id=near))
        await say(jonas, Looking(conversation_id=far))
        assert (await told(ana)).conversation_id == far
        began = asyncio.get_running_loop().time()
        await say(jonas, Looking(conversation_id=near))
        first = await told(ana)
        assert (first.conversation_id, there(first)) == (near, {served.jonas.user_id: "reading"})
        assert asyncio.get_running_loop().time() - began < 0.6
        second = await told(ana)
        assert (second.conversation_id, second.people) == (far, [])
        assert asyncio.get_running_loop().time() - began > 0.6


@pytest.mark.parametrize("number", [0, -1, 2**63])
async def test_what_can_be_no_conversation_ends_the_socket(served: Api, number: int) -> None:
    async with served.live(served.ana) as ana:
        await ana.socket.send(msgspec.json.encode({"frame": "watch", "conversation_ids": [number]}).decode())
        while not isinstance(frame := await ana.next(), ClosingFrame):
            continue
    assert frame.reason == "not_understood"


async def test_nothing_is_asked_of_the_database_while_nobody_else_is_there(served: Api) -> None:
    number = await deliver(served.support)
    asked: list[str] = []
    counted = presence.fetch

    async def counting(query: str, *arguments: object) -> object:
        asked.append(query)
        return await counted(query, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "fetch", counting)
        async with served.live(served.ana) as ana:
            await say(ana, Watch(conversation_ids=[number]))
            await say(ana, Looking(conversation_id=number))
            await hears_nothing(ana)
    assert asked and not [query for query in asked if "viewers" in query]
