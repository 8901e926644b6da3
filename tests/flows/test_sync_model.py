"""Whatever people, other mail programs and bad lines do to an account: when it is quiet, both sides are the same.

Random plays on a real server: deliveries, flags, moves, deletions, folders that come and go, UIDVALIDITY changes, cut
connections, and what people do in Tandem meanwhile. Then every placement, flag and message is compared
(tests/flows/sync_world.py).
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.flows.sync_world import Step, World, random_step, random_steps
from tests.servers.api import Template
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Databases
from tests.servers.proxy import Proxy

T = TypeVar("T")


@pytest.fixture(scope="module")
def own_dovecot() -> Iterator[Dovecot]:
    """A server that may be halted: no other test is on it."""
    with Dovecot() as server:
        yield server


@pytest.mark.parametrize(("seed", "personal"), [(1, False), (2, True), (3, False)])
async def test_both_sides_are_the_same_after_a_play(
    cast: Template, databases: Databases, tmp_path: Path, own_dovecot: Dovecot, seed: int, personal: bool
) -> None:
    async with World.of(cast, databases, tmp_path, own_dovecot, personal=personal) as world:
        for step in random_steps(seed, 15):
            await world.play(step)
        await world.settle()


@pytest.mark.parametrize(("seed", "without"), [(4, ("MOVE",)), (5, ("MOVE", "UIDPLUS"))])
async def test_both_sides_are_the_same_where_the_server_can_do_less(
    cast: Template,
    databases: Databases,
    tmp_path: Path,
    make_dovecot: Callable[..., Dovecot],
    seed: int,
    without: tuple[str, ...],
) -> None:
    server = make_dovecot(without=without)
    async with World.of(cast, databases, tmp_path, server, uidplus="UIDPLUS" not in without) as world:
        for step in random_steps(seed, 15):
            await world.play(step)
        await world.settle()


async def test_a_flag_of_another_program_survives_the_move_that_is_wished_here(
    cast: Template, databases: Databases, tmp_path: Path, own_dovecot: Dovecot
) -> None:
    """The move is carried out before the watcher has heard of the flag."""
    async with World.of(cast, databases, tmp_path, own_dovecot) as world:
        await world.phone.append("Archive", write_mail())
        for _ in range(6):
            await world.play(Step("deliver"))
        await world.settle()
        await world.phone.set_flags("INBOX", range(1, 7), "\\Flagged")
        for number in range(1, 7):
            await world.play(Step("done", number))
        await world.settle(8)


async def test_mail_that_left_a_folder_while_it_was_renumbered_counts_where_it_stands(
    cast: Template, databases: Databases, tmp_path: Path, own_dovecot: Dovecot
) -> None:
    async with World.of(cast, databases, tmp_path, own_dovecot) as world:
        await world.phone.append("Archive", write_mail())
        await world.settle()
        await world.phone.copy("Archive", [1], "Junk")
        await world.settle()
        world.proxy.refuse()
        world.proxy.cut()
        await world.phone.expunge("Archive", [1])
        await world.phone.recreate("Archive")
        world.proxy.refuse(False)
        await world.settle(8)


async def test_numbers_that_agree_by_chance_hide_nothing(
    cast: Template, databases: Databases, tmp_path: Path, make_dovecot: Callable[..., Dovecot]
) -> None:
    """A server without UIDPLUS: what was moved stays behind, marked \\Deleted, and is not ours; another one goes."""
    server = make_dovecot(without=("QRESYNC", "CONDSTORE", "MOVE", "UIDPLUS"))
    async with World.of(cast, databases, tmp_path, server, uidplus=False) as world:
        for _ in range(3):
            await world.play(Step("deliver"))
            await world.settle()
        await world.play(Step("done", 0))
        await world.settle()
        world.proxy.refuse()
        world.proxy.cut()
        await world.phone.expunge("INBOX", [2])
        world.proxy.refuse(False)
        await world.settle(8)


async def test_a_copy_that_is_marked_deleted_counts_for_nothing(
    cast: Template, databases: Databases, tmp_path: Path, own_dovecot: Dovecot
) -> None:
    """How programs without MOVE put mail into the trash: copied there, marked here, expunged some day."""
    async with World.of(cast, databases, tmp_path, own_dovecot) as world:
        await world.play(Step("deliver"))
        await world.settle()
        await world.phone.copy("INBOX", [1], "Trash")
        await world.phone.set_flags("INBOX", [1], "\\Deleted")
        await world.settle(8)


PACES: tuple[tuple[float, ...], ...] = ((0.0,), (0.0, 0.0, 0.15), (0.0, 0.1, 0.3, 0.7), (0.0, 0.0, 0.0, 1.4))
"""Plays are quick or slow: of these seconds one is chosen before each step, and up to so long is waited."""
OpenWorld = Callable[[], AbstractAsyncContextManager[World[Proxy]]]


def machine(loop: asyncio.AbstractEventLoop, open_world: OpenWorld, title: str) -> type[RuleBasedStateMachine]:
    """A state machine for hypothesis, in a thread of its own, whose world lives in `loop`.

    Hypothesis tries most of what it draws several times, with a value or two changed. A play costs seconds, and each is
    to be another one: so what a number means depends on the campaign's title and how many plays there were before.
    """
    plays = itertools.count()

    class Play(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.number = next(plays)
            self.pauses = PACES[self.number % len(PACES)]
            self.opened = open_world()
            self.world = self._wait(self.opened.__aenter__())
            self.broken = False

        @rule(drawn=st.integers(0, 2**32 - 1))
        @precondition(lambda self: not self.broken)
        def step(self, drawn: int) -> None:
            chance = random.Random(f"{title} {self.number} {len(self.world.played)} {drawn}")
            self.broken = True
            self._wait(asyncio.sleep(chance.choice(self.pauses) * chance.random()))
            self._wait(self.world.play(random_step(chance)))
            self.broken = False

        def teardown(self) -> None:
            try:
                if not self.broken:
                    self._wait(self.world.settle())
            finally:
                self._wait(self.opened.__aexit__(None, None, None))

        def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result(120)

    return Play


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("personal", "runs", "without"),
    [
        (False, 220, ()),
        (True, 80, ()),
        (False, 60, ("MOVE",)),
        (False, 60, ("MOVE", "UIDPLUS")),
        (True, 60, ("QRESYNC", "CONDSTORE", "MOVE", "UIDPLUS")),
    ],
)
async def test_both_sides_are_the_same_after_hundreds_of_plays(
    cast: Template,
    databases: Databases,
    tmp_path: Path,
    make_dovecot: Callable[..., Dovecot],
    personal: bool,
    runs: int,
    without: tuple[str, ...],
) -> None:
    server = make_dovecot(without=without)
    uidplus = "UIDPLUS" not in without

    def open_world() -> AbstractAsyncContextManager[World[Proxy]]:
        return World.of(cast, databases, tmp_path, server, personal=personal, uidplus=uidplus)

    play = machine(asyncio.get_running_loop(), open_world, f"{personal} {without}")
    campaign = settings(
        max_examples=runs,
        stateful_step_count=30,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a play that fails by its timing cannot be made shorter
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    await asyncio.to_thread(run_state_machine_as_test, play, settings=campaign)
