"""The demo's life: sets Northwind up in Tandem, then lets its customers and two of its people act.

Run by ``tandem demo`` as ``python -m backend.demo.living --data FOLDER``. An error of one event is one line in
the log; the next event comes all the same.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backend.demo.api import Api
from backend.demo.corpus import corpus
from backend.demo.customers import Customers, Incoming, read_incoming
from backend.demo.mail import conversation_letters
from backend.demo.memory import Memory
from backend.demo.people import MAILBOXES, SIMULATED
from backend.demo.postman import Postman
from backend.demo.servers import ports_file
from backend.demo.setup import NotTheDemo, Setup
from backend.demo.teammates import Teammates

log = logging.getLogger("tandem.demo")

PACE = 30.0
"""Seconds from one event of a kind to the next, about; ``TANDEM_DEMO_PACE`` sets another number."""
_FIRST_MAIL = 6.0
_LIVELY = 12
"""After so many mails from new customers the pace falls to half, after three times as many to a quarter."""
_LOOK_AROUND = 2.0
"""Seconds between two looks into the mailbox where Northwind's mail arrives."""
_PATIENCE = timedelta(minutes=20)
"""So long a customer waits before asking whether the mail arrived."""


class Life:
    """Everything that happens by itself. Each method of `run` goes on for ever."""

    def __init__(self, customers: Customers, teammates: Teammates, postman: Postman, pace: float) -> None:
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
                letter = self._customers.answer(incoming, datetime.now(UTC))
                if letter is not None:
                    await asyncio.to_thread(self._postman.post, letter, incoming.sender_address)
            await asyncio.to_thread(self._postman.finish, uid)
        except Exception as error:
            log.warning("A customer's answer failed (%s: %s)", type(error).__name__, error)
        finally:
            self._in_hand.discard(uid)

    async def _teammate_works(self) -> str | None:
        return await self._teammates.work()


async def live(address: str, data: Path, pace: float) -> None:
    """Waits for Tandem and the mail servers, sets everything up where that is not done yet, then lives."""
    ports = await _ports(data)
    memory = Memory(data / "living.json")
    setup = Setup(address, data, ports["imap"], ports["smtp"])
    office = await setup.run()
    apis = {key: Api(address, setup.token(key)) for key in SIMULATED}
    chance = random.Random()
    customers = Customers(corpus(), memory, chance)
    teammates = Teammates(apis, office, corpus(), customers, memory, chance)
    history = asyncio.create_task(setup.apply_history(office))
    try:
        await Life(customers, teammates, Postman(ports["imap"], ports["smtp"]), pace).run()
    finally:
        history.cancel()
        for api in apis.values():
            await api.close()


async def _ports(data: Path) -> dict[str, int]:
    """Where the demo's mail servers listen, once they do."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return json.loads(ports_file(data).read_text())
        await asyncio.sleep(0.1)


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
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def run() -> None:
        task = asyncio.current_task()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, lambda: task.cancel() if task else None)
        with contextlib.suppress(asyncio.CancelledError):
            await live(options.address, options.data, pace_from_environment())

    try:
        asyncio.run(run())
    except NotTheDemo as error:
        print(f"The demo stays quiet: {error}", file=sys.stderr)
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
