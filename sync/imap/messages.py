"""Commands about messages: searching, fetching, flags, moving, appending."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sync.imap.answers import (
    Flags,
    format_date,
    parse_copyuid,
    parse_date,
    parse_flags,
    parse_modseq,
    parse_number,
    parse_object_id,
)
from sync.imap.dialogue import Dialogue
from sync.imap.protocol import Command, quoted
from sync.imap.reader import Value, format_number_set, parse_number_set
from sync.types import FetchedMessage, ListedMessage


class MessageCommands(Dialogue):
    """What a connection can ask about the messages of the open folder, and do with them."""

    async def search(self, criteria: str, *, literal: bytes | None = None) -> list[int]:
        """UIDs that match, ascending. A `literal` (text that cannot be quoted) is appended to them."""
        compact = self.offers("ESEARCH")
        arguments = ["SEARCH", *(("RETURN", "(ALL)") if compact else ()), criteria]
        uids: set[int] = set()
        for response in await self._run("UID", *arguments, literal=literal):
            line = response.line
            if line[:9].upper() == b"* SEARCH " or line.upper() == b"* SEARCH":
                uids.update(int(word) for word in line[9:].split() if word.isdigit())
            elif line[:10].upper() == b"* ESEARCH ":
                words = line[10:].split()
                if b"ALL" in words:
                    uids.update(parse_number_set(words[words.index(b"ALL") + 1]))
        return sorted(uids)

    async def fetch_sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """RFC822.SIZE in bytes, by UID. Messages that are gone are missing."""
        found = await self._fetch(format_number_set(uids), "(UID RFC822.SIZE)", wanted="RFC822.SIZE")
        return {uid: parse_number(items.get("RFC822.SIZE")) for uid, items in found if "RFC822.SIZE" in items}

    async def sizes_from(self, first: int) -> dict[int, int]:
        """The same of all messages from this UID on."""
        found = await self._fetch(f"{first}:*", "(UID RFC822.SIZE)", wanted="RFC822.SIZE")
        # With nothing there, "*" is the last message before it (RFC 3501, section 6.4.8).
        return {uid: parse_number(items["RFC822.SIZE"]) for uid, items in found if uid >= first}

    async def fetch_flags(self, uid_set: str, *, changed_since: int = 0) -> list[Flags]:
        """The flags of messages; with `changed_since` only of those changed after that modseq (RFC 7162)."""
        tail = (f"(CHANGEDSINCE {changed_since})",) if changed_since else ()
        found = await self._fetch(uid_set, "(UID FLAGS)", *tail)
        return [
            Flags(uid, parse_flags(items.get("FLAGS")), parse_modseq(items.get("MODSEQ")))
            for uid, items in found
            if "FLAGS" in items
        ]

    async def fetch_flags_by_number(self, numbers: Collection[int]) -> list[Flags]:
        """The flags of messages that the server named by their numbers. Numbers beyond the end are passed over."""
        there = [number for number in numbers if number <= self.exists]
        if not there:
            return []
        found = await self._fetch(format_number_set(there), "(UID FLAGS)", by_number=True)
        return [Flags(uid, parse_flags(items.get("FLAGS")), 0) for uid, items in found if "FLAGS" in items]

    async def fetch_messages(self, uid_set: str) -> list[FetchedMessage]:
        """Whole messages, ascending by UID, without setting \\Seen. Messages that are gone are missing."""
        asked = f"(UID FLAGS INTERNALDATE RFC822.SIZE{self._email_id_item} BODY.PEEK[])"
        found = await self._fetch(uid_set, asked, wanted="BODY[]")
        messages: dict[int, FetchedMessage] = {}
        for uid, items in found:
            raw = items.get("BODY[]")
            if isinstance(raw, bytes):
                messages[uid] = FetchedMessage(
                    uid=uid,
                    flags=parse_flags(items.get("FLAGS")),
                    internal_date=parse_date(items.get("INTERNALDATE")),
                    size=len(raw),
                    raw=raw,
                    email_id=_email_id(items),
                )
        return [messages[uid] for uid in sorted(messages)]

    async def list_messages(self, uids: Sequence[int]) -> list[ListedMessage]:
        """What is needed to recognise messages without their bodies, ascending by UID."""
        by_id = bool(self._email_id_item)
        header = "" if by_id else " BODY.PEEK[HEADER]"
        asked = f"(UID FLAGS INTERNALDATE RFC822.SIZE{self._email_id_item}{header})"
        found = await self._fetch(format_number_set(uids), asked, wanted="RFC822.SIZE")
        listed: dict[int, ListedMessage] = {}
        for uid, items in found:
            head = items.get("BODY[HEADER]")
            listed[uid] = ListedMessage(
                uid=uid,
                flags=parse_flags(items.get("FLAGS")),
                internal_date=parse_date(items.get("INTERNALDATE")),
                size=parse_number(items.get("RFC822.SIZE")),
                email_id=_email_id(items),
                header=head if isinstance(head, bytes) else b"",
            )
        return [listed[uid] for uid in sorted(listed)]

    @property
    def names_messages(self) -> bool:
        """Whether the server has names for messages that are the same in every folder."""
        return bool(self._email_id_item)

    @property
    def _email_id_item(self) -> str:
        if self.offers("OBJECTID"):
            return " EMAILID"
        return " X-GM-MSGID" if self.offers("X-GM-EXT-1") else ""

    async def fetch_header(self, uid_set: str, name: str) -> dict[int, bytes]:
        """One header field, unfolded only by the server, by UID."""
        found = await self._fetch(uid_set, f"(UID BODY.PEEK[HEADER.FIELDS ({name})])", wanted="BODY[")
        fields: dict[int, bytes] = {}
        for uid, items in found:
            for key, value in items.items():
                if key.startswith("BODY[") and isinstance(value, bytes):
                    fields[uid] = value
        return fields

    async def change_flags(self, uids: Sequence[int], flags: Collection[str], *, add: bool) -> None:
        """Set or remove flags. UIDs that are gone are passed over by the server."""
        action = "+FLAGS.SILENT" if add else "-FLAGS.SILENT"
        words = " ".join(sorted(flags))
        await self._run("UID", "STORE", format_number_set(uids), action, f"({words})")

    @property
    def leaves_behind(self) -> bool:
        """Whether `move` can only copy messages, and mark those that stay as deleted: to expunge takes others along."""
        return not self.offers("MOVE") and not self.offers("UIDPLUS")

    async def move(self, uids: Sequence[int], target: str) -> dict[int, int]:
        """Move messages; the new UIDs by the old ones where the server tells them (UIDPLUS, RFC 4315)."""
        uid_set = format_number_set(uids)
        if self.offers("MOVE"):
            return _copied(await self._command("UID", ("MOVE", uid_set, quoted(target))))
        copied = _copied(await self._command("UID", ("COPY", uid_set, quoted(target))))
        await self._run("UID", "STORE", uid_set, "+FLAGS.SILENT", "(\\Deleted)")
        if self.offers("UIDPLUS"):
            await self._run("UID", "EXPUNGE", uid_set)
        return copied

    async def expunge(self, uids: Sequence[int]) -> None:
        """Delete for good messages of the open folder that are marked as deleted (RFC 9051 section 6.4.9).

        Without UIDPLUS every marked message of the folder goes: see first that there are no others.
        """
        if self.offers("UIDPLUS"):
            await self._run("UID", "EXPUNGE", format_number_set(uids))
        else:
            await self._run("EXPUNGE")

    async def append(
        self, folder: str, raw: bytes, *, flags: Collection[str] = (), date: datetime | None = None
    ) -> int | None:
        """Add a message to a folder; its UID where the server tells it (UIDPLUS)."""
        arguments = [quoted(folder)]
        if flags:
            arguments.append("(" + " ".join(sorted(flags)) + ")")
        if date is not None:
            arguments.append(format_date(date))
        command = await self._command("APPEND", arguments, literal=raw)
        match = re.search(rb"\[APPENDUID \d+ (\d+)\]", bytes(command.response.lines[-1]))
        return int(match.group(1)) if match else None


def _email_id(items: Mapping[str, Value]) -> str:
    return parse_object_id(items.get("EMAILID", items.get("X-GM-MSGID")))


def _copied(command: Command) -> dict[int, int]:
    lines = [response.line for response in command.responses]
    return parse_copyuid([*lines, *(bytes(line) for line in command.response.lines)])
