"""The programs of a large team, for `tests.bench.team`: a process of its own that holds all their live sockets.

Told by a line of JSON on its input (`Crowd`), it connects everybody and says `ready`. A second line holds the last
position of each stream: it waits until everybody is there (at most `PATIENCE` seconds), and answers `Outcome`.
"""

import asyncio
import random
import sys
import time
from collections import defaultdict
from datetime import datetime

import msgspec
import uvloop
import websockets

PATIENCE = 20.0
CONNECTING_AT_ONCE = 50
ROOMY = 4 * 1024 * 1024


class Seat(msgspec.Struct):
    """One client: its API token, the streams that it follows with the position after which it begins, and the
    conversations on its screen."""

    token: str
    streams: dict[str, int]
    watched: list[int] = []


class Crowd(msgspec.Struct):
    """`measured` is the beginning of the names of the streams whose events are counted and timed. `moves` are how many
    clients a second say that their person looks at another conversation."""

    url: str
    seats: list[Seat]
    measured: str
    moves: float = 0.0


class Outcome(msgspec.Struct):
    """`milliseconds` from the event's own time to its arrival; `lost` and `repeated` are events, over all clients."""

    milliseconds: list[float]
    frames: int
    presence: int
    lost: int
    repeated: int


class _Head(msgspec.Struct):
    """As much of a frame as is looked at."""

    frame: str
    stream: str = ""
    position: int = 0
    at: str = ""
    positions: list[dict[str, str | int]] = []


_head = msgspec.json.Decoder(_Head)


class Client:
    """One live socket and what came through it."""

    def __init__(self, seat: Seat, measured: str) -> None:
        self.seat = seat
        self._measured = measured
        self.taken: dict[str, list[int]] = defaultdict(list)
        self.times: list[tuple[float, str]] = []
        self.frames = 0
        self.presence = 0
        self.reached = dict(seat.streams)
        self._heard = asyncio.Event()

    async def connect(self, url: str) -> None:
        since = ",".join(f"{stream}={position}" for stream, position in self.seat.streams.items())
        self._socket = await websockets.connect(
            f"{url.replace('http', 'ws', 1)}/api/v1/live?since={since}",
            additional_headers={"authorization": f"Bearer {self.seat.token}"},
            max_size=ROOMY,
            open_timeout=60,
            ping_interval=None,
        )
        self._task = asyncio.create_task(self._hear())
        if self.seat.watched:
            await self._say({"frame": "watch", "conversation_ids": self.seat.watched})

    async def move(self, chance: random.Random) -> None:
        """The person looks at another conversation."""
        await self._say({"frame": "looking", "conversation_id": chance.choice(self.seat.watched)})

    async def _say(self, frame: dict[str, object]) -> None:
        await self._socket.send(msgspec.json.encode(frame).decode())

    async def _hear(self) -> None:
        async for text in self._socket:
            now = time.time()
            head = _head.decode(text)
            self.frames += 1
            if head.frame == "event":
                self.reached[head.stream] = head.position
                if head.stream.startswith(self._measured):
                    self.taken[head.stream].append(head.position)
                    self.times.append((now, head.at))
            elif head.frame == "presence":
                self.presence += 1
            elif head.frame == "position":
                for each in head.positions:
                    self.reached[str(each["stream"])] = int(each["position"])
            self._heard.set()

    async def until(self, positions: dict[str, int]) -> None:
        """Wait until every stream is where it should be."""
        while any(self.reached[stream] < positions.get(stream, 0) for stream in self.reached):
            self._heard.clear()
            await self._heard.wait()

    def outcome(self, positions: dict[str, int]) -> tuple[int, int]:
        """Events that never came, and events that came again."""
        lost = repeated = 0
        for stream, began in self.seat.streams.items():
            if stream.startswith(self._measured):
                taken = self.taken[stream]
                lost += len(set(range(began + 1, positions.get(stream, began) + 1)) - set(taken))
                repeated += len(taken) - len(set(taken))
        return lost, repeated

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._socket.close()


async def run() -> None:
    lines = asyncio.StreamReader(limit=64 * 1024 * 1024)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    crowd = msgspec.json.decode(await lines.readline(), type=Crowd)
    clients = [Client(seat, crowd.measured) for seat in crowd.seats]
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def connect(client: Client) -> None:
        async with gate:
            await client.connect(crowd.url)

    await asyncio.gather(*map(connect, clients))
    print("ready", flush=True)
    moving = asyncio.create_task(_move_about(clients, crowd.moves))
    positions = msgspec.json.decode(await lines.readline(), type=dict[str, int])
    moving.cancel()
    await asyncio.wait([asyncio.create_task(client.until(positions)) for client in clients], timeout=PATIENCE)
    outcomes = [client.outcome(positions) for client in clients]
    milliseconds = [(now - _seconds(at)) * 1000 for client in clients for now, at in client.times]
    told = Outcome(
        milliseconds=milliseconds,
        frames=sum(client.frames for client in clients),
        presence=sum(client.presence for client in clients),
        lost=sum(lost for lost, _ in outcomes),
        repeated=sum(repeated for _, repeated in outcomes),
    )
    print(msgspec.json.encode(told).decode(), flush=True)
    await asyncio.gather(*(client.leave() for client in clients))


async def _move_about(clients: list[Client], moves: float) -> None:
    """One client after the other says where its person is now, at this pace."""
    chance = random.Random(7)
    began, made = time.monotonic(), 0
    while moves:
        if made < (time.monotonic() - began) * moves:
            await chance.choice(clients).move(chance)
            made += 1
        else:
            await asyncio.sleep(0.01)


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


if __name__ == "__main__":
    uvloop.run(run())
