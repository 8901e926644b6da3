"""Which folder of an account's server stands for a place, and its row in our tables. Folders are made when missing."""

from backend.database.connection import execute, fetch_value
from backend.mail.places import DONE_TITLE, Place, where
from sync.imap.connection import Connection
from sync.types import FolderInfo

NEW_FOLDERS: dict[Place, str] = {"inbox": "INBOX", "done": "Archive", "trash": "Trash", "junk": "Junk"}
"""What a folder is called that the server does not have yet."""
ROLES: dict[Place, str] = {"inbox": "inbox", "done": "archive", "trash": "trash", "junk": "junk"}


class FolderNames:
    """The folders of one account, listed once a visit, and only when somebody has to move."""

    def __init__(self, server: Connection, account_id: int) -> None:
        self._server = server
        self._account_id = account_id
        self._listed: list[FolderInfo] | None = None
        self._ids: dict[str, int] = {}
        self._made: dict[str, str] = {}

    async def of(self, place: Place, done_to: str) -> str:
        """The server's name of the folder for this place. One that is missing is named here; the move creates it."""
        role = ROLES[place]
        if self._listed is None:
            self._listed = [folder for folder in await self._server.list_folders() if folder.selectable]
        if place == "inbox":
            return "INBOX"
        if place == "done" and done_to == "done":
            named = [f.name for f in self._listed if f.role is None and where("", f.name, f.delimiter or "") == "done"]
            return min(named, key=len) if named else self._new(DONE_TITLE, "")
        known = [folder.name for folder in self._listed if folder.role == role]
        return min(known, key=len) if known else self._new(NEW_FOLDERS[place], role)

    def _new(self, title: str, role: str) -> str:
        """A name beside the others: some servers want every folder below the inbox."""
        others = [folder for folder in self._listed or [] if folder.name != "INBOX"]
        delimiter = next((folder.delimiter for folder in others if folder.delimiter), "")
        below = bool(others) and bool(delimiter) and all(f.name.startswith(f"INBOX{delimiter}") for f in others)
        name = f"INBOX{delimiter}{title}" if below else title
        self._made[name] = role
        return name

    async def id_of(self, name: str) -> int:
        """The folder's row, made if the watcher has not met the folder yet. Inside the caller's transaction."""
        known = self._ids.get(name)
        if known is None:
            await execute(
                "INSERT INTO folders (account_id, name, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                self._account_id,
                name,
                self._role_of(name),
            )
            known = await fetch_value(
                "SELECT id FROM folders WHERE account_id = $1 AND name = $2", self._account_id, name
            )
            self._ids[name] = known
        return known

    def _role_of(self, name: str) -> str:
        listed = {folder.name: folder.role or "" for folder in self._listed or []}
        return listed.get(name) or self._made.get(name, "")
