"""What every benchmark prints beside its own figures: progress, percentiles, the commit, the machine, durability."""

import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from tests.servers.tandem import PROJECT

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that at least `percent` % of all do not exceed."""
    if not values:
        raise ValueError("no values were measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(milliseconds: Sequence[float]) -> dict[str, float | int]:
    """How a series of times is distributed."""
    figures = {
        "p50": percentile(milliseconds, 50),
        "p95": percentile(milliseconds, 95),
        "max": max(milliseconds),
    }
    return {name: round(value, 1) for name, value in figures.items()} | {"samples": len(milliseconds)}


async def postgres_facts(dsn: str) -> dict[str, str]:
    """The version of the server, and the settings on which durability rests."""
    connection = await asyncpg.connect(dsn)
    try:
        return {name: await connection.fetchval(f"SHOW {name}") for name in ("server_version", *DURABILITY)}
    finally:
        await connection.close()


def surroundings() -> dict[str, Any]:
    """The commit (`-dirty` with changes that are not committed) and the machine."""
    return {
        "commit": _commit(),
        "cpu_count": os.cpu_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }


def _commit() -> str:
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=40"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "unknown"  # an unpacked archive has no history
    return described.stdout.strip()
