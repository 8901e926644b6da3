"""Setting as whom Tandem itself writes. Part of the actions."""

import msgspec

from backend.access.asker import Asker
from backend.addresses.actions import note_addresses
from backend.database.connection import execute
from backend.events.record import action
from backend.outgoing_servers.contracts import SetSystemMail, SystemMail, SystemSender
from backend.outgoing_servers.system import read_system_mail
from backend.people.audit import audit
from backend.people.checks import LONGEST_NAME, check_email, refuse
from backend.settings import Settings


async def set_system_mail(asker: Asker, configured: Settings, given: SetSystemMail) -> SystemMail:
    """Both senders, whole; empty ones reset them to the default."""
    wanted = SetSystemMail(users=_checked("users", given.users), customers=_checked("customers", given.customers))
    async with action(asker.user_id):
        await execute(
            "UPDATE organisation SET settings = settings || jsonb_build_object('system_mail', $1::jsonb)",
            msgspec.json.encode(wanted).decode(),
        )
        await note_addresses()
        await audit(asker.user_id, "system_mail_set", "organisation", users=wanted.users, customers=wanted.customers)
    return await read_system_mail(configured)


def _checked(whom: str, given: SystemSender) -> SystemSender:
    name = given.name.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise refuse(f"{whom}.name", "A name has at most 100 characters on one line.", "Make it shorter.")
    reply_to = given.reply_to.strip()
    return SystemSender(name=name, reply_to=check_email(reply_to, field=f"{whom}.reply_to") if reply_to else "")
