"""The audit log: who did what that concerns access, settings or credentials."""

from typing import Any

import msgspec

from backend.database.connection import execute


async def audit(actor_id: int | None, what: str, subject: str, **detail: Any) -> None:
    """Write one entry in the current transaction. Call inside an action.

    `what` is a stable word such as `team_changed`, `subject` names what it was done to (`team:3`). `detail` holds ids
    and settings: never a secret, never a text out of the mail.
    """
    await execute(
        "INSERT INTO audit_entries (at, actor_id, action, subject, detail) VALUES (clock_timestamp(), $1, $2, $3, $4)",
        actor_id,
        what,
        subject,
        msgspec.json.encode(detail).decode(),
    )
