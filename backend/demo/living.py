"""The demo's life: sets Northwind up in Tandem, then lets its customers and two of its people act.

Run by ``tandem demo`` as ``python -m backend.demo.living --data FOLDER``. An error of one event is one line in
the log; the next event comes all the same.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

import httpx

from backend.demo.api import Api, Refused
from backend.demo.corpus import corpus
from backend.demo.customers import Customers, Incoming, read_incoming
from backend.demo.mail import conversation_letters
from backend.demo.meeting import acceptance, invite_once
from backend.demo.memory import Memory
from backend.demo.people import MAILBOXES, PASSWORD, PEOPLE
from backend.demo.ports import HOST, read_ports
from backend.demo.postman import Postman
from backend.demo.setup import NotTheDemo, Setup
from backend.demo.talk import Talk
from backend.demo.teammates import Teammates
from backend.demo.waiting import leave_waiting

log = logging.getLogger("tandem.demo")

Result = TypeVar("Result")

PACE = 30.0
"""Seconds from one event of a kind to the next, about; ``TANDEM_DEMO_PACE`` sets another number."""
_FIRST_MAIL = 6.0
_LIVELY = 12
"""After so many mails from new customers the pace falls to half, after three times as many to a quarter."""
_LOOK_AROUND = 2.0
"""Seconds between two looks into the mailbox where Northwind's mail arrives."""
_PATIENCE = timedelta(minutes=20)
"""So long a customer waits before asking whether the mail arrived."""


_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


_MOVING_IN = 90.0
"""Seconds that the history may take on the first start before people are let in all the same."""


class Colleagues(Protocol):
    """Whoever works at Northwind by themselves."""

    async def work(self) -> str | None:
        """One thing that is done now: what it was, or None."""
        ...


class Life:
    """Everything that happens by itself. Each method of `run` goes on for ever."""

    def __init__(self, customers: Customers, teammates: Colleagues, postman: Postman, pace: float) -> None:
        self._customers = customers
        self._teammates = teammates
        self._postman = postman
        self._pace = pace
        self._chance = random.Random()
        self._written = 0
        self._in_hand: set[str] = set()
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Lives until cancelled."""
        async with asyncio.TaskGroup() as together:
            together.create_task(self._again(self._customer_writes, self._pause_between_customers))
            together.create_task(self._again(self._mail_is_collected, lambda: _LOOK_AROUND))
            together.create_task(self._again(self._teammate_works, lambda: self._about(0.9)))

    async def _again(self, event: Callable[[], Awaitable[str | None]], pause: Callable[[], float]) -> None:
        while True:
            await asyncio.sleep(pause())
            try:
                happened = await event()
            except Exception as error:
                log.warning("The demo's event failed and is left out (%s: %s)", type(error).__name__, error)
            else:
                if happened:
                    log.debug("%s", happened)

    def _about(self, share: float) -> float:
        return self._pace * share * self._chance.uniform(0.6, 1.4)

    def _pause_between_customers(self) -> float:
        if self._written == 0:
            return min(_FIRST_MAIL, self._pace)
        if self._written < 3:
            return self._about(0.5)
        slower = 1 if self._written < _LIVELY else 2 if self._written < 3 * _LIVELY else 4
        return self._about(slower)

    async def _customer_writes(self) -> str | None:
        now = datetime.now(UTC)
        self._written += 1
        late = [(each, since) for each, since in self._customers.waiting() if now - since > _PATIENCE]
        if late and self._chance.random() < 0.25:
            conversation, since = self._chance.choice(late)
            first = conversation_letters(conversation, [since] * len(conversation.messages))[0]
            letter = self._customers.nudge(conversation, first, now)
        else:
            conversation = self._customers.next_to_write()
            if conversation is None:
                return None
            letter = self._customers.begin(conversation, now)
        if letter is None:
            return None
        await asyncio.to_thread(self._postman.post, letter, MAILBOXES[conversation.mailbox].address)
        return f"{letter.sender.name} writes to {conversation.mailbox}"

    async def _mail_is_collected(self) -> str | None:
        for uid, raw in await asyncio.to_thread(self._postman.collect):
            if uid in self._in_hand:
                continue
            self._in_hand.add(uid)
            incoming = read_incoming(raw, datetime.now(UTC))
            task = asyncio.create_task(self._deal_with(uid, incoming))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
        return None

    async def _deal_with(self, uid: str, incoming: Incoming | None) -> None:
        """Reads a mail for a while, answers it or not, and puts it away."""
        try:
            if incoming is not None:
                await asyncio.sleep(self._chance.uniform(0.25, 1.2) * self._pace)
                for address in incoming.files:
                    await open_file(address)
                accepted = acceptance(incoming, datetime.now(UTC))
                letter = None if accepted else self._customers.answer(incoming, datetime.now(UTC))
                if accepted is not None:
                    await asyncio.to_thread(
                        self._postman.post_raw, incoming.recipient, accepted, incoming.sender_address
                    )
                if letter is not None:
                    await asyncio.to_thread(self._postman.post, letter, incoming.sender_address)
            await asyncio.to_thread(self._postman.finish, uid)
        except Exception as error:
            log.warning("A customer's answer failed (%s: %s)", type(error).__name__, error)
        finally:
            self._in_hand.discard(uid)

    async def _teammate_works(self) -> str | None:
        return await self._teammates.work()


async def open_file(address: str) -> None:
    """What a customer's browser does with a link to a file. What cannot be reached from here stays unopened."""
    async with httpx.AsyncClient(headers={"user-agent": _BROWSER}, timeout=60.0, trust_env=False) as browser:
        try:
            await browser.get(address)
        except httpx.TransportError as error:
            log.warning("A customer could not open a file (%s)", error)


async def live(address: str, data: Path, pace: float, announce: Callable[[dict[str, int]], None]) -> None:
    """Waits for Tandem and the mail servers, sets everything up where that is not done yet, then lives.

    ``announce`` is called with the ports when Northwind has moved in: everybody can sign in, and the history and
    the talk about it are there (or have kept everybody waiting for too long). Raises `NotTheDemo`.
    """
    ports = await _ports(data)
    setup = Setup(address, data, ports["imap"], ports["smtp"])
    await _until_done(setup.people_can_sign_in)
    office = await _until_done(setup.run)
    async with AsyncExitStack() as stack:
        apis = {key: Api(address, setup.token(key)) for key in PEOPLE}
        for api in apis.values():
            stack.push_async_callback(api.close)
        memory = Memory(data / "living.json")
        customers = Customers(corpus(), memory, random.Random())
        teammates = Teammates(apis, office, corpus(), customers, memory, random.Random())
        talk = Talk(apis, office, Memory(data / "talk.json"))
        postman = Postman(ports["imap"], ports["smtp"])
        async with asyncio.TaskGroup() as together:
            moving_in = together.create_task(_until_done(lambda: talk.apply(corpus())))
            await asyncio.wait({moving_in}, timeout=_MOVING_IN)
            announce(ports)
            together.create_task(_until_done(lambda: invite_once(apis["mei"], office, memory)))
            together.create_task(_until_done(lambda: leave_waiting(apis, office, memory)))
            together.create_task(Life(customers, teammates, postman, pace).run())


async def _until_done(work: Callable[[], Awaitable[Result]]) -> Result:
    """Does the work, again and again after a failure: a restarting Tandem must not end the demo."""
    while True:
        try:
            return await work()
        except (httpx.TransportError, Refused) as error:
            log.warning("The demo's set-up is tried again in 2 s (%s: %s)", type(error).__name__, error)
            await asyncio.sleep(2.0)


async def _ports(data: Path) -> dict[str, int]:
    """Where the demo's mail servers listen, once they do."""
    while True:
        ports = read_ports(data)
        if ports:
            return ports
        await asyncio.sleep(0.1)


def welcome(address: str, ports: dict[str, int]) -> str:
    """What `tandem demo` prints when everything can be used."""
    rows = [f"    {person.address:<26} {person.name}, {person.role}" for person in PEOPLE.values()]
    people = "\n".join(rows)
    return (
        f"\nNorthwind Bikes is open: {address}/\n\n"
        f"Sign in as (password of all: {PASSWORD})\n{people}\n"
        "Tom and Mei are played by the demo. Open a second window as somebody else to see both sides.\n\n"
        f"Your own mail client: IMAP {HOST}:{ports['imap']}, SMTP {HOST}:{ports['smtp']}, no TLS;\n"
        "    user support@, sales@, billing@ or ana@northwind.example, the same password.\n"
    )


def pace_from_environment() -> float:
    """``TANDEM_DEMO_PACE`` in seconds, or `PACE`. Raises ValueError for what is no number above 0."""
    pace = float(os.environ.get("TANDEM_DEMO_PACE") or PACE)
    if pace <= 0:
        raise ValueError("TANDEM_DEMO_PACE must be a number of seconds above 0")
    return pace


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="backend.demo.living", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the demo's mail servers")
    parser.add_argument("--address", required=True, help="where Tandem answers, such as http://127.0.0.1:8000")
    parser.add_argument("--public-address", help="what people type, where that differs")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def run() -> None:
        task = asyncio.current_task()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, lambda: task.cancel() if task else None)
        with contextlib.suppress(asyncio.CancelledError):
            await live(
                options.address,
                options.data,
                pace_from_environment(),
                lambda ports: print(welcome(options.public_address or options.address, ports), flush=True),
            )

    try:
        asyncio.run(run())
    except NotTheDemo as error:
        print(f"The demo stays quiet: {error}", file=sys.stderr)
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
