"""Many who wait for the database at the same time go together.

One commit costs the disk a turn, however much it holds. While one group is at it, whoever comes meanwhile waits for the
next: alone, nobody waits at all; under load, groups grow by themselves.

A group is all or nothing in the database, but not in its fate: where it fails, or leaves somebody out, each goes alone,
so that nobody suffers for another's trouble.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

MOST = 64
"""In one group."""


class Grouped(Generic[Key, Answer]):
    """`together` answers for those of a group that it took; `alone` does for one what `together` did not."""

    def __init__(
        self,
        together: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Answer]]],
        alone: Callable[[Key], Awaitable[Answer]],
    ) -> None:
        self._together = together
        self._alone = alone
        self._waiting: deque[tuple[Key, asyncio.Future[Answer]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._single: set[asyncio.Task[None]] = set()

    async def __call__(self, key: Key) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=f"group for {self._together.__name__}")
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            group: dict[Key, asyncio.Future[Answer]] = {}
            again: list[tuple[Key, asyncio.Future[Answer]]] = []
            while self._waiting and len(group) < MOST:
                key, answer = self._waiting.popleft()
                if answer.cancelled():
                    continue
                if key in group:
                    again.append((key, answer))
                else:
                    group[key] = answer
            self._waiting.extendleft(reversed(again))
            if not group:
                continue
            try:
                found = await self._together(list(group))
            except Exception as fault:
                log.info("%s of %d failed (%s); each alone.", self._together.__name__, len(group), type(fault).__name__)
                found = {}
            for key, answer in group.items():
                if answer.done():
                    continue
                if key in found:
                    answer.set_result(found[key])
                else:
                    task = asyncio.create_task(self._one(key, answer))
                    self._single.add(task)
                    task.add_done_callback(self._single.discard)

    async def _one(self, key: Key, answer: asyncio.Future[Answer]) -> None:
        try:
            result = await self._alone(key)
        except BaseException as fault:
            if not answer.done():
                answer.set_exception(fault if isinstance(fault, Exception) else asyncio.CancelledError())
            if not isinstance(fault, Exception):
                raise
        else:
            if not answer.done():
                answer.set_result(result)
