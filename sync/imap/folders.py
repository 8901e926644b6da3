"""Commands about folders: which there are, what stands in them, opening and leaving one."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from sync.errors import CommandRefused
from sync.imap.answers import (
    Changes,
    FolderStatus,
    Selected,
    parse_list,
    parse_selected,
    parse_statuses,
    with_roles_by_name,
)
from sync.imap.dialogue import Dialogue
from sync.imap.protocol import AUTH, SELECTED, quoted
from sync.imap.reader import Response
from sync.types import FolderInfo

log = logging.getLogger(__name__)


class FolderCommands(Dialogue):
    """What a connection can ask about folders."""

    async def list_folders(self) -> list[FolderInfo]:
        """All folders, with their roles from SPECIAL-USE (RFC 6154) or else from their names."""
        extended = self.offers("SPECIAL-USE") and self.offers("LIST-EXTENDED")
        tail = ("RETURN", "(SPECIAL-USE)") if extended else ()
        return _folders(await self._run("LIST", '""', '"*"', *tail))

    async def list_with_status(self, *, sizes: bool = False) -> tuple[list[FolderInfo], dict[str, FolderStatus]]:
        """All folders, and how each stands: in one round trip (RFC 5819), else without any status.

        `sizes` asks for bytes too (RFC 8438), which makes some servers look at every message.
        """
        if not self.offers("LIST-STATUS"):
            return await self.list_folders(), {}
        special = "SPECIAL-USE " if self.offers("SPECIAL-USE") else ""
        asked = self._status_items + (" SIZE" if sizes and self.offers("STATUS=SIZE") else "")
        responses = await self._run("LIST", '""', '"*"', "RETURN", f"({special}STATUS ({asked}))")
        statuses = parse_statuses(responses)
        return [_with_status(folder, statuses.get(folder.name)) for folder in _folders(responses)], statuses

    async def open_folder(
        self, folder: str, *, read_only: bool = True, known: tuple[int, int] | None = None
    ) -> Selected:
        """EXAMINE or SELECT a folder. Raises CommandRefused (no_such_folder) when it is not there.

        `known` is the UIDVALIDITY and the modseq of our last visit: where QRESYNC is switched on, the
        server then answers what happened since (`Selected.resync`).
        """
        self._protocol.changes = Changes()
        self._protocol.told.clear()
        self._protocol.exists = 0
        self.selected = None
        arguments = [quoted(folder)]
        resync = known is not None and self.resyncs and known[0] > 0 and known[1] > 0
        if known is not None and resync:
            arguments.append(f"(QRESYNC ({known[0]} {known[1]}))")
        elif self.offers("CONDSTORE"):
            arguments.append("(CONDSTORE)")
        command = await self._command("EXAMINE" if read_only else "SELECT", arguments)
        self._protocol.state = SELECTED
        final = bytes(command.response.lines[-1])
        selected = parse_selected(folder, command.responses, final, read_only=read_only)
        told = known is not None and resync and known[0] == selected.uid_validity and selected.highest_modseq > 0
        self.selected = selected if told else replace(selected, resync=None)
        self._protocol.changes = Changes()
        self._protocol.told.clear()
        return self.selected

    async def close_folder(self) -> None:
        """Leave a folder that was opened read-only, so that STATUS may be asked for it. Nothing is expunged.

        Some servers refuse CLOSE there. Then the folder stays open, and they answer STATUS all the same.
        """
        if self.selected is None or not self.selected.read_only:
            return
        try:
            await self._run("UNSELECT" if self.offers("UNSELECT") else "CLOSE")
        except CommandRefused as refusal:
            log.debug("the folder stays open: %s", refusal)
            return
        self._protocol.state = AUTH
        self.selected = None

    async def folder_status(self, folder: str) -> FolderStatus:
        """STATUS of a folder that is not the open one."""
        statuses = parse_statuses(await self._run("STATUS", quoted(folder), f"({self._status_items})"))
        status = statuses.get(folder) or next(iter(statuses.values()), None)
        if status is not None:
            return status
        raise self._problem("answer_not_understood", "STATUS was answered without a STATUS line")

    @property
    def _status_items(self) -> str:
        items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN"
        if self.offers("CONDSTORE"):
            items += " HIGHESTMODSEQ"
        return items

    async def create_folder(self, folder: str) -> None:
        """Create a folder; `folder` is the server's spelling (`sync.imap.names.wire_name`)."""
        await self._run("CREATE", quoted(folder))


def _folders(responses: Sequence[Response]) -> list[FolderInfo]:
    folders = [folder for response in responses if (folder := parse_list(response)) is not None]
    return with_roles_by_name(folders)


def _with_status(folder: FolderInfo, status: FolderStatus | None) -> FolderInfo:
    if status is None:
        return folder
    return replace(folder, messages=status.messages, size=status.size)
