"""The folders of an account as its server lists them: which are brought over, which are refused, what is complete."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from backend.database.connection import Row, execute, fetch
from backend.mail.actions import remove_placements
from backend.mail.fetched import FolderKey
from backend.workers.account_lease import Leased
from sync.types import Census, FolderCursor, FolderInfo, FolderRefusal, SyncPlan


class AccountFolders(Leased):
    """The part of `sync.ports.AccountStore` that is about folders as such."""

    async def plan(self) -> SyncPlan:
        rows = await fetch(
            "SELECT a.history_from, f.name, f.chosen FROM mail_accounts a LEFT JOIN folders f ON f.account_id = a.id "
            "WHERE a.id = $1",
            self._lease.account_id,
        )
        return SyncPlan(
            history_from=rows[0]["history_from"] if rows else None,
            chosen={row["name"]: row["chosen"] for row in rows if row["name"] is not None},
        )

    async def folders_found(self, folders: Sequence[FolderInfo]) -> None:
        # By name: both lines of an account may list its folders at once, and servers list them in no fixed order.
        told = sorted({folder.name: folder for folder in folders}.values(), key=lambda folder: folder.name)
        names = [folder.name for folder in told]
        rows = await fetch("SELECT * FROM folders WHERE account_id = $1", self._lease.account_id)
        known = {row["name"]: row for row in rows}
        if all(_is_known(known.get(folder.name), folder) for folder in told):
            return

        async def write() -> None:
            await self._rename(folders)
            await execute(
                "INSERT INTO folders (account_id, name, role, title, selectable, gathers, object_id) SELECT $1, * FROM "
                "unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::text[]) "
                "ON CONFLICT (account_id, name) DO UPDATE SET role = excluded.role, title = excluded.title, "
                "selectable = excluded.selectable, gathers = excluded.gathers, "
                "object_id = coalesce(nullif(excluded.object_id, ''), folders.object_id) "
                "WHERE (folders.role, folders.title, folders.selectable, folders.gathers) "
                "<> (excluded.role, excluded.title, excluded.selectable, excluded.gathers) "
                "OR excluded.object_id NOT IN ('', folders.object_id)",
                self._lease.account_id,
                names,
                [folder.role or "" for folder in told],
                [folder.title for folder in told],
                [folder.selectable for folder in told],
                [folder.gathers for folder in told],
                [folder.object_id for folder in told],
            )
            await execute(
                "UPDATE folders f SET server_messages = coalesce(t.messages, f.server_messages), "
                "server_bytes = coalesce(t.size, f.server_bytes) FROM "
                "unnest($2::text[], $3::int[], $4::bigint[]) AS t (name, messages, size) "
                "WHERE f.account_id = $1 AND f.name = t.name "
                "AND (t.messages <> f.server_messages OR t.size <> f.server_bytes)",
                self._lease.account_id,
                names,
                [folder.messages for folder in told],
                [folder.size for folder in told],
            )

        await self._fenced(write)
        self._folders.clear()

    async def _rename(self, folders: Sequence[FolderInfo]) -> None:
        """A folder that has another name on the server keeps its messages here: MAILBOXID says that it is the same."""
        listed = [folder.name for folder in folders]
        for folder in folders:
            if folder.object_id:
                await execute(
                    "UPDATE folders SET name = $3 WHERE id = (SELECT id FROM folders WHERE account_id = $1 "
                    "AND object_id = $2 AND name <> ALL($4) LIMIT 1) "
                    "AND NOT EXISTS (SELECT 1 FROM folders WHERE account_id = $1 AND name = $3)",
                    self._lease.account_id,
                    folder.object_id,
                    folder.name,
                    listed,
                )

    async def known_folders(self) -> Mapping[str, FolderCursor | None]:
        rows = await fetch("SELECT * FROM folders WHERE account_id = $1", self._lease.account_id)
        return {row["name"]: cursor_of(row) for row in rows}

    async def folders_gone(self, folders: Sequence[str]) -> None:
        for name in folders:
            row = await self._row(name)
            if row is None:
                continue
            key = await self._key(name)

            async def write(key: FolderKey = key) -> None:
                placed = await fetch("SELECT uid FROM placements WHERE folder_id = $1", key.folder_id)
                await remove_placements(key, [record["uid"] for record in placed])
                await execute("DELETE FROM folders WHERE id = $1", key.folder_id)

            await self._fenced(write)
            self._folders.pop(name, None)

    async def folder_refused(self, folder: str, refusal: FolderRefusal | None) -> None:
        key = await self._key(folder)

        async def write() -> None:
            told = {} if refusal is None else msgspec.to_builtins(refusal) | {"since": refusal.at.isoformat()}
            await execute(
                "UPDATE folders SET refused = $2::jsonb || CASE WHEN $3 AND refused ? 'since' "
                "THEN jsonb_build_object('since', refused->'since') ELSE '{}' END WHERE id = $1",
                key.folder_id,
                msgspec.json.encode(told).decode(),
                refusal is not None,
            )

        await self._fenced(write)

    async def refused_folders(self) -> Collection[str]:
        rows = await fetch("SELECT name FROM folders WHERE account_id = $1 AND refused <> '{}'", self._lease.account_id)
        return [row["name"] for row in rows]

    async def census_taken(self, folder: str, census: Census) -> None:
        key = await self._key(folder)

        async def write() -> None:
            counted = msgspec.json.encode(census).decode()
            await execute("UPDATE folders SET census = $2 WHERE id = $1", key.folder_id, counted)

        await self._fenced(write)

    async def counted_at(self) -> Mapping[str, datetime]:
        rows = await fetch(
            "SELECT name, (census->>'checked_at')::timestamptz AS at FROM folders "
            "WHERE account_id = $1 AND census ? 'checked_at'",
            self._lease.account_id,
        )
        return {row["name"]: row["at"] for row in rows}

    async def confirm_censuses(self, unchanged: Mapping[str, tuple[int, int]]) -> Collection[str]:
        confirmed: set[str] = set()

        async def write() -> None:
            rows = await fetch(
                "UPDATE folders f SET census = jsonb_set(f.census, '{checked_at}', to_jsonb($5::text)) "
                "FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS t (name, placed, uids) "
                "WHERE f.account_id = $1 AND f.name = t.name AND f.census ? 'checked_at' AND (t.placed, t.uids) = "
                "(SELECT count(*), coalesce(sum(p.uid), 0) FROM placements p WHERE p.folder_id = f.id) "
                "RETURNING f.name",
                self._lease.account_id,
                list(unchanged),
                [placed for placed, _ in unchanged.values()],
                [uids for _, uids in unchanged.values()],
                datetime.now(UTC).isoformat(),
            )
            confirmed.update(row["name"] for row in rows)

        await self._fenced(write)
        return confirmed


def cursor_of(row: Row) -> FolderCursor | None:
    if row["uid_validity"] == 0:
        return None
    return FolderCursor(
        uid_validity=row["uid_validity"],
        history_below=row["history_below"],
        highest_uid=row["highest_uid"],
        lowest_uid=row["lowest_uid"],
        highest_modseq=row["highest_modseq"],
        backfill_done=row["backfill_done"],
        since=row["since"],
    )


def _is_known(row: Row | None, told: FolderInfo) -> bool:
    """Whether the store has all that the server tells of the folder."""
    if row is None:
        return False
    named = (told.role or "", told.title, told.selectable, told.gathers)
    return (
        (row["role"], row["title"], row["selectable"], row["gathers"]) == named
        and told.object_id in ("", row["object_id"])
        and told.messages in (None, row["server_messages"])
        and told.size in (None, row["server_bytes"])
    )
