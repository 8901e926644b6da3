"""The worker with shorter patience, so that a test needs seconds where an installation waits a minute.

Run as a process: `python -m tests.flows.impatient_worker`. The claim on a mail and the heartbeat of jobs last
TANDEM_TEST_PATIENCE seconds; everything else is the shipped worker.
"""

import asyncio
import logging
import os
from datetime import timedelta

from backend.settings import settings
from backend.workers.main import work
from backend.workers.outgoing import Sender


def main() -> None:
    patience = float(os.environ["TANDEM_TEST_PATIENCE"])
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    asyncio.run(
        work(
            settings(),
            Sender(claim_seconds=patience),
            sweep_seconds=patience / 10,
            heartbeat=timedelta(seconds=patience),
        )
    )


if __name__ == "__main__":
    main()
