"""Shipped workers that are there at once: a process that has loaded everything forks one for each line that it reads.

    python -m tests.bench.outbox_workers       # "start" on its input: a worker's process number on its output

A worker that is killed every second would else spend its life on importing modules. What each runs is
`backend.workers.main.work`, with its own waits and claims; BENCH_RETRY_SECONDS replaces the waits between
attempts.
"""

import asyncio
import logging
import os
import signal
import sys
from datetime import timedelta

from backend.compose.actions import results
from backend.settings import settings
from backend.workers.main import work


def _live() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    retry = os.environ.get("BENCH_RETRY_SECONDS")
    if retry is not None:
        wait = timedelta(seconds=float(retry))
        results.WAITS, results.LAST_WAIT = (wait,) * len(results.WAITS), wait
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    asyncio.run(work(settings()))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for _ in sys.stdin:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(0)
                _live()
                code = 0
            finally:
                os._exit(code)
        print(child, flush=True)


if __name__ == "__main__":
    main()
