"""Reading the queue's failures."""

import msgspec

from backend.database.connection import fetch
from backend.operations.contracts import FailedJob

MOST = 200


async def read_failed_jobs() -> list[FailedJob]:
    """The newest 200 jobs that gave up, newest first."""
    records = await fetch(
        "SELECT q.id, q.entrypoint, q.payload, q.attempts, q.updated, "
        "(SELECT l.traceback FROM pgqueuer_log l WHERE l.job_id = q.id AND l.traceback IS NOT NULL "
        "ORDER BY l.id DESC LIMIT 1) AS fault FROM pgqueuer q WHERE q.status = 'failed' "
        "ORDER BY q.updated DESC LIMIT $1",
        MOST,
    )
    return [
        FailedJob(
            id=record["id"],
            name=record["entrypoint"],
            concerns=_concerns(record["payload"]),
            attempts=record["attempts"],
            failed_at=record["updated"],
            reason=_reason(record["fault"]),
        )
        for record in records
    ]


def _concerns(payload: bytes | None) -> str:
    fields = msgspec.json.decode(payload) if payload else {}
    return ", ".join(f"{name} {value}" for name, value in fields.items())


def _reason(fault: str | None) -> str:
    """Our own sentence where a handler gave one; of any other fault its kind alone, for its text may quote mail."""
    if fault is None:
        return "unknown"
    record = msgspec.json.decode(fault)
    ours = record["exception_type"] in ("TryAgain", "RetryRequested")
    return record["exception_message"] if ours else record["exception_type"]
