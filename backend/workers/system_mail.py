"""What Tandem itself writes: invitations, forgotten passwords, whose an address is, digests of notifications.

The job carries a kind and an id; every secret is made here, or derived from what the database and the key hold.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from backend.addresses.links import address_link, address_token
from backend.addresses.queries import address_to_mail
from backend.jobs import Handler
from backend.people.actions.invitations import read_invitation_to_mail
from backend.people.actions.passwords import start_reset, withdraw_reset
from backend.people.links import invitation_link, invitation_token, reset_link
from backend.people.sessions import hash_of
from backend.settings import Settings
from backend.workers.digest import mail_digest
from backend.workers.system_post import CannotMail, SystemMail, post

__all__ = ["CannotMail", "system_mail_for"]


def system_mail_for(configured: Settings) -> Handler:
    """The handler of the job `system_mail` with its payload `kind` and `id`."""

    async def system_mail(kind: str, id: int) -> None:
        write = KINDS.get(kind)
        if write is None:
            raise CannotMail(f"There is no system mail of the kind {kind!r}.")
        await write(configured, id)

    return system_mail


async def _mail_invitation(configured: Settings, invitation_id: int) -> None:
    """Nothing to do when it was accepted, withdrawn or replaced meanwhile."""
    record = await read_invitation_to_mail(invitation_id)
    if record is None:
        return
    token = invitation_token(configured, invitation_id, record["created_at"])
    if hash_of(token) != record["token_hash"]:
        raise CannotMail("This worker has another secret key than the web process: TANDEM_SECRET_KEY must be the same.")
    inviter, organisation = record["inviter"], record["organisation"]
    text = (
        f"Hello,\n\n{inviter} invites you to {organisation}'s team inbox on Tandem. To choose your name and password, "
        f"open this link:\n\n{invitation_link(configured, token)}\n\n"
        f"It works once, until {record['expires_at']:%d %B %Y, %H:%M} UTC. "
        f"If you do not know {inviter}, you can ignore this mail: nothing happens.\n"
    )
    await post(configured, SystemMail("", record["email"], f"{inviter} invites you to {organisation}", text))


async def _mail_reset(configured: Settings, request_id: int) -> None:
    """Nothing to do when the address is nobody's: whoever asked is not told that."""
    begun = await start_reset(request_id)
    if begun is None:
        return
    name, address, token = begun
    text = (
        f"Hello {name},\n\nsomebody, probably you, asked for a new password for your account on Tandem. "
        f"To choose one, open this link:\n\n{reset_link(configured, token)}\n\n"
        "It works once, for an hour from when this mail was written. "
        "If it was not you, you can ignore this mail: your password stays as it is.\n"
    )
    try:
        await post(configured, SystemMail(name, address, "Choose a new password", text))
    except BaseException:
        # The next attempt makes a secret of its own.
        await withdraw_reset(token)
        raise


async def _mail_address(configured: Settings, address_id: int) -> None:
    """Whose an address is. Nothing to do when somebody has said so meanwhile."""
    record = await address_to_mail(address_id)
    if record is None:
        return
    address, organisation = record["address"], record["organisation"] or "An organisation"
    token, ends = address_token(configured, address_id, address, datetime.now(UTC))
    greeting = f"Hello {record['person']}," if record["person"] else "Hello,"
    text = (
        f"{greeting}\n\n{organisation} uses the address {address} on Tandem, for mail that is sent from it or "
        "answered to it. Please say that this is yours:\n\n{button}\n\n"
        f"The link works until {ends:%d %B %Y, %H:%M} UTC. If you know nothing of {organisation}, ignore this mail: "
        "the address stays marked as not verified.\n"
    )
    button = ("Yes, I own this address", address_link(configured, token))
    # An address that is none of ours was typed into one mail, and may be anybody's.
    audience = "users" if record["ours"] else "customers"
    await post(configured, SystemMail("", address, f"Is {address} yours?", text, button, audience))


KINDS: dict[str, Callable[[Settings, int], Awaitable[None]]] = {
    "invitation": _mail_invitation,
    "password_reset": _mail_reset,
    "address": _mail_address,
    "digest": mail_digest,
}
"""By the kind in the job's payload."""
