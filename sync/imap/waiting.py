"""Waiting for the server's word: IDLE (RFC 2177), NOOP, and NOTIFY (RFC 5465) for all folders at once."""

import asyncio
import logging
from typing import Any

from sync.errors import CommandRefused
from sync.imap.dialogue import Dialogue
from sync.imap.protocol import Command

log = logging.getLogger(__name__)


class WaitingCommands(Dialogue):
    """How a connection waits."""

    async def ask_for_changes(self) -> None:
        """NOOP: let the server tell what happened to the open folder."""
        await self._run("NOOP")

    async def watch_folders(self) -> bool:
        """NOTIFY (RFC 5465): let the server tell of every folder of the account. False where it cannot or will not.

        `take_news` then says what was told, also while a folder is open.
        """
        if not (self.offers("NOTIFY") and self.offers("IDLE")):
            return False
        events = "(MessageNew MessageExpunge FlagChange)"
        named = "(MessageNew MessageExpunge FlagChange MailboxName)"
        try:
            await self._run("NOTIFY", "SET", f"(selected {events})", f"(personal {named})")
        except CommandRefused as refusal:
            log.debug("the server does not watch all folders: %s", refusal)
            return False
        return True

    async def wait_for_changes(self, seconds: float, wake: asyncio.Event) -> None:
        """IDLE (RFC 2177) until the server tells something, `wake` is set, or `seconds` are over.

        Returns with IDLE ended; `take_changes` then says what was told. A peer that died in silence shows as
        a time-out of the ending.
        """
        protocol = self._protocol
        async with self._lock:
            self._check_alive()
            if protocol.changes or protocol.news or wake.is_set():
                return
            protocol._idle_event.clear()
            command = Command("IDLE", protocol.new_tag(), timeout=self._timeout)
            running = asyncio.ensure_future(protocol.execute(command))
            try:
                await self._idle_until(command, running, seconds, wake)
                await running
            except BaseException as error:
                running.cancel()
                protocol.break_off(ConnectionAbortedError("IDLE was interrupted"))
                await asyncio.gather(running, return_exceptions=True)
                if isinstance(error, Exception):
                    raise self._translate(error) from error
                raise
            self._check_result(command)

    async def _idle_until(
        self, command: Command, running: "asyncio.Future[Any]", seconds: float, wake: asyncio.Event
    ) -> None:
        """From IDLE sent to DONE sent."""
        protocol = self._protocol
        begun = asyncio.ensure_future(protocol._idle_event.wait())
        told = asyncio.ensure_future(protocol.told.wait())
        woken = asyncio.ensure_future(wake.wait())
        try:
            await asyncio.wait({begun, running}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return  # refused, or the connection is gone: the caller looks at it
            command.wait_for_ever()
            await asyncio.wait({told, woken, running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                command.answer_within(self._timeout)
                protocol.idle_done()
        finally:
            for waiting in (begun, told, woken):
                waiting.cancel()
            await asyncio.gather(begun, told, woken, return_exceptions=True)
