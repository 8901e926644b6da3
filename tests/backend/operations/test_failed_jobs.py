"""Work that gave up stands where an admin sees it, and can be tried again."""

import asyncio

from backend.database.connection import execute, fetch_value
from backend.events.record import action
from backend.jobs import enqueue, job_queue, register
from backend.operations.contracts import FailedJob
from tests.servers.api import Api


async def work_until(condition: str, handler: object) -> None:
    """Run a queue with this handler of system mail until the SQL condition holds."""
    queue = job_queue()
    register(queue, "system_mail", handler)  # pyright: ignore[reportArgumentType]
    running = asyncio.create_task(queue.run(batch_size=1))
    for _ in range(1000):
        if await fetch_value(f"SELECT {condition}"):
            break
        await asyncio.sleep(0.02)
    queue.shutdown.set()
    await running


async def test_a_job_that_failed_is_shown_without_what_it_said_and_can_run_again(api: Api) -> None:
    async def fails(**payload: int) -> None:
        raise ValueError("Dear Mateus, your wheel...")

    async def succeeds(**payload: int) -> None:
        return None

    await execute("DELETE FROM pgqueuer")
    async with action(None):
        await enqueue("system_mail", kind="reset", id=7)
    await work_until("EXISTS (SELECT 1 FROM pgqueuer WHERE status = 'failed')", fails)
    [job] = await api.ana.get("/failed-jobs", list[FailedJob])
    assert (job.name, job.concerns, job.reason) == ("system_mail", "kind reset, id 7", "ValueError")
    await api.ana.post(f"/failed-jobs/{job.id}/retry")
    await work_until("NOT EXISTS (SELECT 1 FROM pgqueuer)", succeeds)
    assert await api.ana.get("/failed-jobs", list[FailedJob]) == []


async def test_only_admins_see_what_failed(api: Api) -> None:
    assert (await api.jonas.refused("GET", "/failed-jobs")).status == 403
