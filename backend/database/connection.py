"""The one connection pool of a process, and SQL in the current transaction.

Tables, migrations and transactions are Piccolo's. Reads that join, and writes that count, are SQL in the
capability's own module, run through `fetch` and `execute` below on the same connection as Piccolo's transaction
(docs/decisions/0003-sql-beside-piccolo.md).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction


class _TidyTransaction(PostgresTransaction):
    """Piccolo's transaction, which leaves nothing behind when the connection breaks or the task is cancelled.

    Without this, a ROLLBACK that cannot be sent keeps the connection out of the pool and the dead transaction in the
    task's context: every later query of a task that lives long (a watcher, the sender) would fail for good.
    """

    async def __aenter__(self) -> PostgresTransaction:
        try:
            return await super().__aenter__()
        except BaseException:
            # Whether the server has begun is not known. asyncpg would find out when the connection is given back, and
            # tell the log of an error; to end the connection needs no answer, and happens seldom.
            taken = getattr(self, "connection", None)
            if taken is not None:
                taken.terminate()
            await self._give_back()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            return await super().__aexit__(kind, fault, trace)
        except BaseException:
            if self._parent is None:
                if self.engine.current_transaction.get() is self:
                    self.engine.current_transaction.reset(self.context)
                await self._give_back()
            raise

    async def _give_back(self) -> None:
        """Return the connection to the pool, which closes it or rolls it back as needed; twice does no harm."""
        taken = getattr(self, "connection", None)
        if taken is not None and self.engine.pool is not None:
            await self.engine.pool.release(taken)


class _UnaskedEngine(PostgresEngine):
    """Piccolo asks the server for its version on construction, when it has no address yet: any server on this
    machine's port 5432 would be asked, or a warning printed. `connect` gives the address."""

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:
        return _TidyTransaction(engine=self, allow_nested=allow_nested)

    async def check_version(self) -> None:
        return

    async def prep_database(self) -> None:
        return


engine = _UnaskedEngine(config={})
"""Piccolo finds it through backend/database/piccolo_conf.py."""

Row = asyncpg.Record


async def connect(dsn: str, *, pool_size: int = 10) -> None:
    """Open this process' pool on the database at `dsn`."""
    engine.config = {"dsn": dsn}
    await engine.start_connection_pool(min_size=1, max_size=pool_size, init=_learn_types, reset=_reset)


async def _learn_types(fresh: asyncpg.Connection) -> None:
    """Ask for the arrays that our statements take, all at once.

    asyncpg asks the server for each type that it does not know when a connection first meets it: else the first action
    on a new connection is held up several times.
    """
    await fresh.prepare(
        "SELECT $1::bigint[], $2::integer[], $3::boolean[], $4::text[], $5::bytea[], $6::interval[], "
        "$7::timestamptz[], $8::jsonb[]"
    )


_sessions: set[int] = set()
"""Servers' process numbers of pooled connections on which something is held beyond a transaction."""


async def _reset(given_back: asyncpg.Connection) -> None:
    """Before a connection goes back to the pool, which has rolled back what was open.

    asyncpg would reset its session each time, a question to the server after every statement. Ours hold nothing
    beyond their transaction but in `session`.
    """
    number = given_back.get_server_pid()
    if number in _sessions:
        _sessions.discard(number)
        await given_back.execute(given_back.get_reset_query())


@asynccontextmanager
async def session() -> AsyncIterator[PoolConnectionProxy]:
    """A connection of its own, outside any transaction. Advisory locks that are still held end with the block."""
    if engine.pool is None:
        raise RuntimeError("The database is not connected: call connect() first.")
    async with engine.pool.acquire() as pooled:
        _sessions.add(pooled.get_server_pid())
        yield pooled


async def disconnect() -> None:
    """Close the pool; a connection still in use is waited for."""
    await engine.close_connection_pool()


@asynccontextmanager
async def connection() -> AsyncIterator[asyncpg.Connection | PoolConnectionProxy]:
    """The current transaction's connection, or one from the pool for the length of the block."""
    current = engine.current_transaction.get()
    if current is not None:
        yield current.connection
    elif engine.pool is None:
        raise RuntimeError("The database is not connected: call connect() first.")
    else:
        async with engine.pool.acquire() as pooled:
            yield pooled


@asynccontextmanager
async def snapshot() -> AsyncIterator[None]:
    """A read-only transaction in which every read sees the same moment."""
    async with engine.transaction():
        await execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


async def fetch(query: str, *arguments: Any) -> Sequence[Row]:
    async with connection() as current:
        return await current.fetch(query, *arguments)


async def fetch_row(query: str, *arguments: Any) -> Row | None:
    async with connection() as current:
        return await current.fetchrow(query, *arguments)


async def fetch_value(query: str, *arguments: Any) -> Any:
    async with connection() as current:
        return await current.fetchval(query, *arguments)


async def execute(query: str, *arguments: Any) -> str:
    """Run one statement; the answer is PostgreSQL's command tag, such as `UPDATE 1`."""
    async with connection() as current:
        return await current.execute(query, *arguments)


async def execute_many(query: str, rows: Iterable[Sequence[Any]]) -> None:
    async with connection() as current:
        await current.executemany(query, rows)


WORTH_COPYING = 4
"""From so many rows on, COPY takes less than an INSERT each."""


async def copy_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Put new rows into a table, many at once by COPY."""
    if not rows:
        return
    async with connection() as current:
        if len(rows) >= WORTH_COPYING:
            await current.copy_records_to_table(table, columns=list(columns), records=rows)
        else:
            values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
            await current.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)


@asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """What fails in this block is undone alone: the transaction around it can go on."""
    async with connection() as current, current.transaction():
        yield


def end_if_cancelled() -> None:
    """To be called by a task that lives on after a fault of the database, where it catches that fault.

    A task that is cancelled closes its connection or transaction on its way out. Where that fails, for the server is
    gone or silent, the fault stands in the place of the CancelledError, and the task would live on for good.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def in_transaction() -> bool:
    return engine.current_transaction.get() is not None
