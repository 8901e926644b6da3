"""A line that cuts, delays, truncates and corrupts, while mail comes and people work: nothing lost, nothing doubled,
and it always heals (tests/servers/faulty_proxy.py, tests/flows/sync_world.py).

Bytes that change on the way are tried behind TLS, which notices them: nothing can on a plain line.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.flows.sync_world import QUICK, Step, World, random_steps
from tests.servers.api import Template
from tests.servers.certificate import Certificate
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_proxy import FAULTS, Fault, FaultKind, FaultyProxy
from tests.servers.postgres import Databases

ON_PLAIN_LINES: tuple[FaultKind, ...] = tuple(kind for kind in FAULTS if kind not in ("corrupt", "drop"))
WORK = {
    "deliver",
    "append",
    "append_again",
    "move",
    "copy",
    "expunge",
    "done",
    "trash",
    "open",
    "read",
}
"""Steps that are played while faults strike; folders and UIDVALIDITY are the model's part. Without flags of the other
program for as long as test_a_flag_of_another_program_survives_the_move_that_is_wished_here knows a fault of theirs.
"""
IMPATIENT = replace(QUICK, idle=1, command=1)
STRIKE_SECONDS = 3.0


@pytest.fixture(scope="module")
def secure_dovecot(certificate: Certificate) -> Iterator[Dovecot]:
    with Dovecot(certificate=certificate) as server:
        yield server


def old_mail(count: int, seed: int) -> list[bytes]:
    """History of many sizes, so that faults strike inside messages and between them."""
    chance = random.Random(seed)
    return [
        write_mail(subject=f"Old {number}", text="x" * chance.choice((100, 3_000, 40_000)) + f"\n{number}\n")
        for number in range(count)
    ]


async def strike(world: World[FaultyProxy], fault: Fault, steps: Sequence[Step]) -> bool:
    """Play these steps on a line on which the fault waits; answers whether it struck."""
    world.proxy.expect(fault)
    for step in steps:
        await world.play(step)
    end = time.monotonic() + STRIKE_SECONDS
    while world.proxy.waiting and time.monotonic() < end:
        world.nudge()
        await asyncio.sleep(0.05)
    struck = not world.proxy.waiting
    world.proxy.forget()
    return struck


async def campaign(world: World[FaultyProxy], *, seed: int, kinds: Sequence[FaultKind], faults: int) -> None:
    """Faults one after another, in the first synchronisation and in everyday work, each followed by its healing."""
    chance = random.Random(seed)
    work = (step for step in random_steps(seed, faults * 40) if step.kind in WORK)
    struck = tried = 0
    while struck < faults:
        tried += 1
        assert tried < faults * 3, f"only {struck} of {tried} faults struck"
        kind = kinds[struck] if faults == len(kinds) else chance.choice(kinds)
        fault = Fault(
            kind, chance.choice((0, 30, 300, 2_000, 30_000)) + chance.randrange(100), chance.choice((1, 8, 200))
        )
        struck += await strike(world, fault, [next(work) for _ in range(chance.randrange(1, 5))])
        if tried % 4 == 0 or struck == faults:
            try:
                await world.settle()
            except AssertionError as difference:
                raise AssertionError(f"After fault {struck}, {fault}: {difference}") from difference


async def test_every_kind_of_fault_heals(
    cast: Template, databases: Databases, tmp_path: Path, secure_dovecot: Dovecot, certificate: Certificate
) -> None:
    async with World.of(
        cast,
        databases,
        tmp_path,
        secure_dovecot,
        proxy=FaultyProxy,
        certificate=certificate,
        timing=IMPATIENT,
        history=old_mail(60, seed=5),
    ) as world:
        await campaign(world, seed=5, kinds=FAULTS, faults=len(FAULTS))
        assert world.proxy.struck == len(FAULTS)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("secure", "seed"), [(True, 11), (False, 12), (True, 13), (False, 14)])
async def test_two_hundred_faults_heal(
    cast: Template,
    databases: Databases,
    tmp_path: Path,
    secure_dovecot: Dovecot,
    certificate: Certificate,
    secure: bool,
    seed: int,
) -> None:
    """Fifty faults in each of these."""
    async with World.of(
        cast,
        databases,
        tmp_path,
        secure_dovecot,
        proxy=FaultyProxy,
        certificate=certificate if secure else None,
        timing=IMPATIENT,
        history=old_mail(400, seed),
    ) as world:
        await campaign(world, seed=seed, kinds=FAULTS if secure else ON_PLAIN_LINES, faults=50)
        assert world.proxy.struck == 50
