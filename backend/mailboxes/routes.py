"""Mailboxes over HTTP."""

from litestar import Router, delete, get, patch, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.mailboxes import actions, activity, queries
from backend.mailboxes.contracts import (
    CreateMailbox,
    Mailbox,
    MailboxDeed,
    MailboxSettings,
    Mentionable,
    SetMailboxMembers,
    UpdateMailbox,
    WorkCounts,
)


@get("/mailboxes", **access("signed_in"))
async def list_mailboxes(asker: Asker) -> list[Mailbox]:
    """The mailboxes that the person can open."""
    return await queries.read_mailboxes(asker)


@get("/mailboxes/{mailbox_id:int}", **access("mailbox"))
async def read_mailbox(asker: Asker, mailbox_id: int) -> Mailbox:
    """One mailbox that the person can open."""
    return (await queries.read_mailboxes(asker, mailbox_id))[0]


@get("/mailboxes/{mailbox_id:int}/mentionable", **access("mailbox"))
async def mentionable(mailbox_id: int) -> Mentionable:
    """Who can be mentioned in the mailbox's conversations."""
    return await queries.read_mentionable(mailbox_id)


@get("/mailboxes/{mailbox_id:int}/activity", **access("mailbox"))
async def read_activity(mailbox_id: int) -> list[MailboxDeed]:
    """What was done to the mailbox, the newest first: who was let in, and what was set."""
    return await activity.read_activity(mailbox_id)


@get("/counts", **access("signed_in"))
async def counts(asker: Asker) -> WorkCounts:
    """The numbers of the rail and the tabs."""
    return await queries.read_counts(asker)


@get("/mailbox-settings", **access("admin"))
async def list_settings() -> list[MailboxSettings]:
    """Every group mailbox, whether or not the admin can read it."""
    return await queries.list_settings()


@post("/mailboxes", **access("signed_in"))
async def create_mailbox(asker: Asker, data: CreateMailbox) -> MailboxSettings:
    """A personal mailbox for oneself; a group mailbox if one is an admin."""
    return await actions.create_mailbox(asker, data)


@patch("/mailboxes/{mailbox_id:int}", **access("mailbox_settings"))
async def update_mailbox(asker: Asker, mailbox_id: int, data: UpdateMailbox) -> MailboxSettings:
    """Change the settings that are given."""
    return await actions.update_mailbox(asker, mailbox_id, data)


@put("/mailboxes/{mailbox_id:int}/members", **access("mailbox_settings"))
async def set_members(asker: Asker, mailbox_id: int, data: SetMailboxMembers) -> MailboxSettings:
    """Replace the users and teams who may open a group mailbox."""
    return await actions.set_mailbox_members(asker, mailbox_id, data)


@delete("/mailboxes/{mailbox_id:int}", **access("mailbox_settings"))
async def delete_mailbox(asker: Asker, mailbox_id: int, name: str) -> None:
    """Remove the mailbox and its conversations for good; `name` repeats its name. Mail on the server stays."""
    await actions.delete_mailbox(asker, mailbox_id, name)


router = Router(
    path="/",
    route_handlers=[
        list_mailboxes,
        read_mailbox,
        mentionable,
        read_activity,
        counts,
        list_settings,
        create_mailbox,
        update_mailbox,
        set_members,
        delete_mailbox,
    ],
    tags=["mailboxes"],
)
