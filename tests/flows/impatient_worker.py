"""The worker with shorter patience, so that a test needs seconds where an installation waits a minute.

Run as a process: `python -m tests.flows.impatient_worker`. What a silent worker holds, it keeps for
TANDEM_TEST_PATIENCE seconds; everything else is the shipped worker.
"""

import asyncio
import logging
import os

from backend.settings import settings
from backend.workers.main import Patience, work


def main() -> None:
    patience = float(os.environ["TANDEM_TEST_PATIENCE"])
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    asyncio.run(work(settings(), Patience(claim=patience, job=patience, transaction=patience, sweep=patience / 10)))


if __name__ == "__main__":
    main()
