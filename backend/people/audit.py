"""The audit log: who did what that concerns access, settings or credentials."""

from typing import Any

import msgspec

from backend.database.connection import execute
from backend.people.contracts import AuditKind

KINDS: dict[AuditKind, tuple[str, ...]] = {
    "entering": (
        *("set_up", "signed_in", "signed_out", "sign_in_refused", "joined"),
        *("password_changed", "password_reset", "password_link_made", "password_link_mailed"),
    ),
    "people": ("person_changed", "invited", "invitation_withdrawn", "organisation_renamed", "house_style_set"),
    "access": ("mailbox_members_set", "team_created", "team_changed", "team_deleted"),
    "mailboxes": (
        *("mailbox_created", "mailbox_changed", "mailbox_deleted", "mailbox_addresses_set"),
        *("sender_blocked", "sender_unblocked", "intake_sorted"),
    ),
    "accounts": (
        *("account_connected", "account_reauthorised", "account_disconnected"),
        *("account_plan_set", "account_paused", "account_resumed"),
        *("outgoing_server_added", "outgoing_server_changed", "outgoing_server_removed", "mailbox_sending_set"),
        *("link_added", "link_changed", "link_removed", "document_deleted"),
        *("identity_added", "identity_changed", "identity_removed", "address_asked", "address_verified"),
        "system_mail_set",
    ),
    "tokens": ("token_created", "token_deleted"),
    "conversations": ("conversations_deleted", "conversation_moved"),
    "operation": ("job_retried", "backup_made", "backup_restored", "mail_imported"),
}
"""Every word that is written, by what it is about. A test finds one that is missing."""


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
