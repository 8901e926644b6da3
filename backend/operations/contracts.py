"""Work that gave up, as an admin sees it: never a subject, never a body."""

from datetime import datetime

from backend.contracts import Contract


class FailedJob(Contract):
    """A job that was given up after its retries. `concerns` names rows by id, `reason` is the kind of the fault."""

    id: int
    name: str
    concerns: str
    attempts: int
    failed_at: datetime
    reason: str
