"""`tandem import`: mail from files into a mailbox, with progress. Run again, it goes on where it was."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from backend.database.connection import connect, disconnect
from backend.database.migrate import migrate
from backend.errors import TandemError
from backend.events.record import action
from backend.mail.importing import Outcome, Progress, find_mailbox, import_mail
from backend.people.audit import audit

TOLD_EVERY = 5.0
"""Seconds between two lines of progress where nobody watches a terminal."""
MOST_NAMED = 20
"""Messages or files that the summary names one by one."""


class ImportFailed(Exception):
    """Nothing could be imported. The text says why, and what to do."""


def import_files(dsn: str, mailbox: str, paths: Sequence[Path]) -> int:
    """Import into the mailbox of that address; answers the exit status: 1 when a message could not be stored.

    Raises ImportFailed for a mailbox or a path that is not there.
    """
    try:
        outcome = asyncio.run(_import(dsn, mailbox, paths))
    except TandemError as refused:
        raise ImportFailed(f"{refused.message} {refused.remedy}".strip()) from refused
    except OSError as fault:
        raise ImportFailed(f"{fault.filename or 'A file'} cannot be read: {fault.strerror or fault}.") from fault
    _tell(outcome)
    return 1 if outcome.failed else 0


async def _import(dsn: str, name: str, paths: Sequence[Path]) -> Outcome:
    await migrate(dsn)
    await connect(dsn, pool_size=2)
    try:
        mailbox = await find_mailbox(name)
        print(f"Importing into {mailbox['name']} ({mailbox['address']}).", flush=True)
        outcome = await import_mail(mailbox["id"], paths, _Line())
        async with action(None):
            await audit(None, "mail_imported", f"mailbox:{mailbox['id']}", new=outcome.new, known=outcome.known)
        return outcome
    finally:
        await disconnect()


class _Line:
    """Progress: one line that is written over on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        finished = progress.done_bytes >= progress.total_bytes
        if not finished and now - self._told < (0.2 if self._terminal else TOLD_EVERY):
            return
        self._told = now
        share = progress.done_bytes / progress.total_bytes if progress.total_bytes else 1.0
        rate = progress.messages / max(now - self._began, 0.001)
        text = f"{share:4.0%}  {progress.messages:,} messages, {rate:,.0f} a second"
        if self._terminal:
            print(f"\r\x1b[K{text}", end="\n" if finished else "", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)


def _tell(outcome: Outcome) -> None:
    print(f"{outcome.new:,} new messages. {outcome.known:,} were here already.")
    if outcome.drafts:
        print(f"Drafts left out: {outcome.drafts:,}. Finish them where they were begun.")
    if outcome.left_out:
        print(f"Files that hold no mail: {len(outcome.left_out):,}.")
        _name([str(path) for path in outcome.left_out])
    if outcome.failed:
        print(f"Messages that could not be stored: {len(outcome.failed):,}.")
        _name(outcome.failed)


def _name(lines: Sequence[str]) -> None:
    for line in lines[:MOST_NAMED]:
        print(f"  {line}")
    if len(lines) > MOST_NAMED:
        print(f"  and {len(lines) - MOST_NAMED:,} more")
