"""The most memory that the product's processes have taken."""

import asyncio
from types import TracebackType
from typing import Self

from tests.servers.product import Part, Product

PARTS: tuple[Part, ...] = ("web", "worker")
EVERY_SECONDS = 1.0


class MemoryPeaks:
    """Looks once a second while the `async with` block lasts. `mb` holds the peaks, in MB (10^6 bytes)."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.mb: dict[Part, float] = dict.fromkeys(PARTS, 0.0)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(EVERY_SECONDS)

    def _look(self) -> None:
        for part in PARTS:
            self.mb[part] = max(self.mb[part], self._product.memory_mb(part))
