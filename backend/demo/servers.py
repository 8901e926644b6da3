"""The demo's mail servers, in a process of their own: ``python -m backend.demo.servers --data FOLDER``.

When both serve, their ports stand in the folder's ``ports.json``, as ``{"imap": 1143, "smtp": 1025}``. It ends
on SIGTERM or SIGINT; `backend.child_process` sees to it that it does not outlive its parent. On the first start
it writes the history before it serves.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from backend.demo.imap import FOLDERS, DemoLogin, open_accounts, serve_imap
from backend.demo.people import MAILBOXES, OUTSIDE, PASSWORD
from backend.demo.ports import HOST, IMAP_PORT, SMTP_PORT, write_ports
from backend.demo.seeding import seed
from backend.demo.smtp import serve_smtp
from backend.demo.store import MailStore

ACCOUNTS = (*(mailbox.address for mailbox in MAILBOXES.values()), OUTSIDE)


def open_store(data: Path) -> MailStore:
    """The store in the data folder, with the folders of every account and, at first, the history."""
    store = MailStore(data / "mail.sqlite3")
    for account in ACCOUNTS:
        existing = {row.name for row in store.folders(account)}
        for name in FOLDERS:
            if name not in existing:
                store.add_folder(account, name)
    seed(store)
    return store


async def serve(data: Path, imap_port: int, smtp_port: int, ready: Callable[[dict[str, int]], None]) -> None:
    """Serves until cancelled. A port that is taken is replaced by a free one; 0 asks for a free one."""
    store = open_store(data)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        login = open_accounts(store, ACCOUNTS, PASSWORD)
        imap = await _serve_at(serve_imap, login, imap_port, stack)
        smtp = await _serve_at(serve_smtp, login, smtp_port, stack)
        ready({"imap": imap, "smtp": smtp})
        await asyncio.Event().wait()


async def _serve_at(
    start: Callable[[DemoLogin, str, int, AsyncExitStack], Awaitable[int]],
    login: DemoLogin, port: int, stack: AsyncExitStack,
) -> int:  # fmt: skip
    try:
        return await start(login, HOST, port, stack)
    except OSError:
        return await start(login, HOST, 0, stack)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="backend.demo.servers", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that keeps the mail")
    parser.add_argument("--imap-port", type=int, default=IMAP_PORT)
    parser.add_argument("--smtp-port", type=int, default=SMTP_PORT)
    options = parser.parse_args(arguments)

    async def run() -> None:
        task = asyncio.current_task()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, lambda: task.cancel() if task else None)
        with contextlib.suppress(asyncio.CancelledError):
            await serve(
                options.data, options.imap_port, options.smtp_port, lambda ports: write_ports(options.data, ports)
            )

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
