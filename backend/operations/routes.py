"""Failed jobs over HTTP, for admins."""

from litestar import Router, get, post

from backend.access.asker import Asker
from backend.access.classes import access
from backend.jobs import run_again
from backend.operations.contracts import FailedJob
from backend.operations.queries import read_failed_jobs
from backend.people.audit import audit


@get("/failed-jobs", **access("admin"))
async def list_failed_jobs() -> list[FailedJob]:
    """Work that gave up after its retries."""
    return await read_failed_jobs()


@post("/failed-jobs/{job_id:int}/retry", status_code=204, **access("admin"))
async def retry_failed_job(asker: Asker, job_id: int) -> None:
    """Try one of them again; nothing happens if it is no longer there."""
    await run_again(job_id)
    await audit(asker.user_id, "job_retried", f"job:{job_id}")


router = Router(path="/", route_handlers=[list_failed_jobs, retry_failed_job], tags=["operations"])
