"""A large team in one office: a thousand live clients on one web process, and what each change costs until all see it.

    python -m tests.bench.team --json [--people 1000] [--mailboxes 10] [--seconds 60] [--changes 50] [--moves 0]

`tandem up` as it is shipped; every person has a live socket, and is a member of one group mailbox. Members comment,
assign and close conversations over HTTP at a steady pace. Each change is an event for everybody in its mailbox; its
time runs from the moment that it was written down, just before the commit, until a client has it. Clients live in a
process of their own. Progress goes to stderr; the last line on stdout is one JSON object, described in
docs/benchmarks.md.
"""

import argparse
import asyncio
import contextlib
import json
import random
import secrets
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import msgspec
import psutil

from backend.conversations.contracts import AddComment, Assign, SetStatus
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.sessions import TOKEN_PREFIX, hash_of
from tests.bench.figures import percentile, postgres_facts, say, surroundings
from tests.bench.memory import MemoryPeaks
from tests.bench.team_clients import Crowd, Outcome, Seat
from tests.servers.product import Product, Visitor
from tests.servers.tandem import PROJECT

FLOORS = {"event_ms": 100, "web_rss_mb": 500}
CONVERSATIONS = 50
"""In each mailbox."""
AT_ONCE = 16
"""Changes that may be under way: a slow server gets fewer than were planned, and the figures say so."""
QUIET_SECONDS = 2.0
"""Between the last client's arrival and the first change."""


@dataclass(frozen=True, slots=True)
class Person:
    user_id: int
    token: str
    mailbox_id: int


@dataclass
class Office:
    """The running product, its people by mailbox, and each mailbox's conversations."""

    product: Product
    people: list[Person]
    conversations: dict[int, list[int]]
    done: set[int] = field(default_factory=set)

    def members(self, mailbox_id: int) -> list[Person]:
        return [person for person in self.people if person.mailbox_id == mailbox_id]


async def move_in(product: Product, people: int, mailboxes: int) -> Office:
    """Everybody with an account and an API token, each in one mailbox. By SQL: a thousand passwords take a minute."""
    owner = await product.set_up()
    database = await asyncpg.connect(product.dsn)
    try:
        rows = await database.fetch(
            "INSERT INTO users (name, email, password_hash, role) "
            "SELECT 'Person ' || n, 'person' || n || '@northwind.example', '', 'member' FROM generate_series(1, $1) n "
            "RETURNING id",
            people,
        )
        ids = [row["id"] for row in rows]
        tokens = [TOKEN_PREFIX + secrets.token_urlsafe(32) for _ in ids]
        await database.execute(
            "INSERT INTO api_tokens (user_id, name, prefix, token_hash) "
            "SELECT id, 'the benchmark', '', hash FROM unnest($1::text[], $2::bigint[]) AS t(hash, id)",
            [hash_of(token) for token in tokens],
            ids,
        )
        found: list[Person] = []
        conversations: dict[int, list[int]] = {}
        for number in range(mailboxes):
            mine = list(zip(ids, tokens, strict=True))[number::mailboxes]
            mailbox_id = await _mailbox(owner, number, [user_id for user_id, _ in mine])
            found += [Person(user_id, token, mailbox_id) for user_id, token in mine]
            conversations[mailbox_id] = [
                row["id"]
                for row in await database.fetch(
                    "INSERT INTO conversations (mailbox_id, subject, correspondents, message_count, snippet) "
                    "SELECT $1, 'A question about order ' || n, "
                    """'[{"name": "Lena Fischer", "address": "lena@customer.example"}]', 1, """
                    "'The frame has a scratch below the saddle, and the bell was missing in the parcel.' "
                    "FROM generate_series(1, $2) n RETURNING id",
                    mailbox_id,
                    CONVERSATIONS,
                )
            ]
    finally:
        await database.close()
    return Office(product, found, conversations)


async def _mailbox(owner: Visitor, number: int, member_ids: list[int]) -> int:
    wanted = CreateMailbox(
        kind="group", name=f"Office {number}", address=f"office{number}@northwind.example", member_ids=member_ids
    )
    return (await owner.post("/mailboxes", wanted, MailboxSettings)).id


async def positions(dsn: str) -> dict[str, int]:
    database = await asyncpg.connect(dsn)
    try:
        return {row["key"]: row["position"] for row in await database.fetch("SELECT key, position FROM streams")}
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def crowd(office: Office, moves: float) -> AsyncIterator[Process]:
    """Everybody's live socket, in a process of its own; with `moves`, everybody has their mailbox on the screen."""
    at = await positions(office.product.dsn)
    seats: list[Seat] = []
    for person in office.people:
        streams = ("organisation", f"user:{person.user_id}", f"mailbox:{person.mailbox_id}")
        watched = office.conversations[person.mailbox_id] if moves else []
        seats.append(Seat(person.token, {stream: at.get(stream, 0) for stream in streams}, watched))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.team_clients"), cwd=PROJECT, stdin=PIPE, stdout=PIPE, limit=256 * 1024**2
    )
    try:
        await tell(process, Crowd(office.product.url, seats, "mailbox:", moves))
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"ready", "the clients could not connect"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def tell(process: Process, what: object) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(what) + b"\n")
    await process.stdin.drain()


async def work(office: Office, seconds: float, pace: float) -> tuple[int, float]:
    """Changes at a steady pace: how many were made, and how many a second."""
    chance = random.Random(7)
    gate = asyncio.Semaphore(AT_ONCE)
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with (
        httpx.AsyncClient(base_url=f"{office.product.url}/api/v1", timeout=30, trust_env=False, limits=limits) as http,
        asyncio.TaskGroup() as deeds,
    ):
        began = time.monotonic()
        made = 0

        async def deed() -> None:
            try:
                await _change(http, office, chance)
            finally:
                gate.release()

        while (now := time.monotonic() - began) < seconds:
            if made >= now * pace:
                await asyncio.sleep(1 / pace / 4)
                continue
            await gate.acquire()
            deeds.create_task(deed())
            made += 1
    return made, made / (time.monotonic() - began)


async def _change(http: httpx.AsyncClient, office: Office, chance: random.Random) -> None:
    """One person comments, assigns, closes or opens again."""
    mailbox_id = chance.choice(list(office.conversations))
    members = office.members(mailbox_id)
    conversation_id = chance.choice(office.conversations[mailbox_id])
    person = chance.choice(members)
    method, where, body = chance.choice(
        [
            ("POST", "/comments", AddComment(text="The workshop has looked at it; a new bell is on its way.")),
            ("PUT", "/assignee", Assign(user_id=chance.choice(members).user_id)),
            ("PUT", "/status", SetStatus(status="open" if conversation_id in office.done else "done")),
        ]
    )
    if where == "/status":
        office.done ^= {conversation_id}
    reply = await http.request(
        method,
        f"/conversations/{conversation_id}{where}",
        content=msgspec.json.encode(body),
        headers={"authorization": f"Bearer {person.token}", "content-type": "application/json"},
    )
    reply.raise_for_status()


async def run(people: int, mailboxes: int, seconds: float, pace: float, moves: float) -> dict[str, Any]:
    """The whole benchmark; answers the JSON object."""
    figures: dict[str, Any] = {"benchmark": "team", "people": people, "mailboxes": mailboxes} | surroundings()
    say("starting the product (and compiling the interface, if its sources changed)")
    async with Product() as product:
        office = await move_in(product, people, mailboxes)
        async with MemoryPeaks(product) as peaks, crowd(office, moves) as clients:
            say(f"{people} clients are connected")
            await asyncio.sleep(QUIET_SECONDS)
            web = product.part("web")
            assert web is not None
            spent, began = _cpu(web), time.monotonic()
            made, a_second = await work(office, seconds, pace)
            figures["web_cpu_percent"] = round(100 * (_cpu(web) - spent) / (time.monotonic() - began), 1)
            say(f"{made} changes made, {a_second:.1f} a second")
            await tell(clients, await positions(product.dsn))
            assert clients.stdout is not None
            outcome = msgspec.json.decode(await clients.stdout.readline(), type=Outcome)
        figures |= {
            "changes": made,
            "changes_per_second": round(a_second, 1),
            "event_ms": _spread(outcome.milliseconds),
            "events_received": len(outcome.milliseconds),
            "frames_received": outcome.frames,
            "presence_frames": outcome.presence,
            "lost": outcome.lost,
            "repeated": outcome.repeated,
            "web_rss_mb": round(peaks.mb["web"], 1),
            "postgres": await postgres_facts(product.dsn),
        }
    return figures | {"floors": FLOORS | {"lost": 0, "repeated": 0}, "floors_missed": _missed(figures)}


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor time that the process has taken."""
    times = process.cpu_times()
    return times.user + times.system


def _spread(milliseconds: Sequence[float]) -> dict[str, float]:
    return {f"p{percent}": round(percentile(milliseconds, percent), 1) for percent in (50, 95, 99)} | {
        "max": round(max(milliseconds), 1)
    }


def _missed(figures: dict[str, Any]) -> list[str]:
    held = {"event_ms": figures["event_ms"]["p95"], "web_rss_mb": figures["web_rss_mb"]}
    missed = [name for name, most in FLOORS.items() if held[name] > most]
    return missed + [name for name in ("lost", "repeated") if figures[name]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.team", description="A large team in one office.")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--mailboxes", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--changes", type=float, default=50, help="a second, in all")
    parser.add_argument("--moves", type=float, default=0, help="from conversation to conversation, a second, in all")
    chosen = parser.parse_args()
    figures = asyncio.run(run(chosen.people, chosen.mailboxes, chosen.seconds, chosen.changes, chosen.moves))
    print(json.dumps(figures, indent=None if chosen.json else 2), flush=True)


if __name__ == "__main__":
    main()
