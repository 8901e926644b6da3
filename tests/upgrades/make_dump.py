"""Makes the dump of a finished issue's database: `python -m tests.upgrades.make_dump NAME`.

Run it once, when the issue is finished, and keep the file: `test_upgrades.py` brings every dump up to date and looks
whether everything is still there. It holds the cast of the tests with a little of everything.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import asyncpg

from backend.compose.contracts import CreateDraft, Draft, SaveDraft, SendDraft
from backend.conversations.contracts import (
    AddComment,
    Assign,
    MergeConversations,
    MoveConversation,
    SetRead,
    SetReminder,
    SetStatus,
    SetVisibility,
    ShareConversation,
)
from backend.database.connection import fetch
from backend.database.embedded import EmbeddedPostgres
from backend.database.migrate import migrate
from backend.database.postgres_binaries import installed_binaries
from backend.documents.contracts import Document, LinkDocument
from backend.identities.contracts import DraftSender, Identity, SaveIdentity, SetSender
from backend.links.contracts import SaveLink
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.meetings.contracts import MeetingDetails
from backend.outgoing_servers.contracts import OutgoingServer, SaveOutgoingServer
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from backend.templates.contracts import SaveSignature, SaveTemplate
from backend.uploads.contracts import BeginUpload
from backend.views.contracts import Filters, SaveView
from tests.servers.api import Api, Member, environment, make_cast, running
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail

HERE = Path(__file__).parent
SKIPPED = ("migration", "pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "sign_in_failures", "sessions")


async def fill(api: Api) -> None:
    """A little of everything."""
    inbox = await Arriving.into(api.support)
    first = write_mail(subject="Brake recall", text="My front wheel cracked.")
    await inbox.deliver(write_mail(subject="From before"), arrived=False)
    await inbox.deliver(first, write_mail(subject="Private matter"), write_mail(subject="Done already"))
    await inbox.deliver(write_mail(subject="Re: Brake recall", answers=message_id_of(first)))
    rows = await fetch("SELECT id FROM conversations ORDER BY id")
    one, two, three = (row["id"] for row in rows[1:4])
    await api.ana.put(f"/conversations/{one}/assignee", Assign(user_id=api.jonas.user_id))
    mention = AddComment(text="@Ana have a look.", mention_ids=[api.ana.user_id])
    await api.jonas.post(f"/conversations/{one}/comments", mention)
    await api.jonas.put(f"/conversations/{two}/visibility", SetVisibility(visibility="confidential"))
    await api.ana.put(f"/conversations/{three}/status", SetStatus(status="done"))
    await api.ana.put(f"/conversations/{one}/read", SetRead(read=True))
    await api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=one))
    reply = await api.jonas.post("/drafts", CreateDraft(kind="reply", conversation_id=two), Draft)
    saved = SaveDraft(version=reply.version, to=reply.to, cc=[], bcc=[], subject=reply.subject, text="On its way.")
    reply = await api.jonas.put(f"/drafts/{reply.id}", saved, Draft)
    await api.jonas.post(f"/drafts/{reply.id}/send", SendDraft(version=reply.version, undo_seconds=30))
    await _work_together(api, inbox, one)


async def _work_together(api: Api, inbox: Arriving, one: int) -> None:
    """What a team does beside answering."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    tag = await api.ana.post("/tags", SaveTag(name="Recall"), Tag)
    await api.ana.put(f"/conversations/{one}/tags", ChangeTags(add=[tag.id]))
    await api.ana.put(f"/conversations/{one}/reminder", SetReminder(at=tomorrow))
    await api.ana.post(f"/conversations/{one}/shares", ShareConversation(user_id=api.tom.user_id))
    await api.ana.post("/views", SaveView(name="Recalls", filters=Filters(tag_ids=[tag.id]), shared="everybody"))
    await api.ana.post("/templates", SaveTemplate(name="Recall", text="Hello {{ contact.first_name }}"))
    for subject in ("Merged into", "Merged", "Moved", "Starred"):
        await inbox.deliver(write_mail(subject=subject))
    rows = await fetch("SELECT id FROM conversations ORDER BY id DESC LIMIT 4")
    starred, moved, merged, into = (row["id"] for row in rows)
    await api.ana.post(f"/conversations/{into}/merge", MergeConversations(other_ids=[merged]))
    sales = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example", member_ids=[api.ana.user_id])
    mailbox = await api.ana.post("/mailboxes", sales, MailboxSettings)
    await api.ana.put(f"/conversations/{moved}/mailbox", MoveConversation(mailbox_id=mailbox.id))
    later = await api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=starred), Draft)
    text = SaveDraft(version=later.version, to=later.to, cc=[], bcc=[], subject=later.subject, text="Tomorrow.")
    later = await api.ana.put(f"/drafts/{later.id}", text, Draft)
    await api.ana.post(f"/drafts/{later.id}/send", SendDraft(version=later.version, send_at=tomorrow))
    await _write(api)


async def _write(api: Api) -> None:
    """What goes into a mail, and as whom it leaves."""
    place = SaveOutgoingServer(
        name="Relay",
        host="smtp.northwind.example",
        port=587,
        security="starttls",
        username="mailer",
        password="secret",
    )
    server = await api.ana.post("/outgoing-servers", place, OutgoingServer)
    await api.ana.put(f"/mailboxes/{api.support}/sending", {"server_id": server.id})
    other = SaveIdentity(name="Northwind Care", address="care@northwind.example", mailbox_id=api.support)
    identity = await api.ana.post("/identities", other, Identity)
    await api.ana.post("/links", SaveLink(kind="appointment", name="Choose a time", url="https://meet.example/ana"))
    await api.ana.put("/me/signature", SaveSignature(html="<p>Ana, Northwind</p>", version=0))
    file = {"file": ("prices.pdf", b"%PDF-1.7", "application/pdf")}
    assert (await api.ana.request("POST", "/documents?folder=Sales", files=file)).is_success
    [document] = await api.ana.get("/documents", list[Document], q="")
    draft = await api.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=api.support), Draft)
    path = f"/drafts/{draft.id}"
    await api.ana.put(f"{path}/sender", SetSender(sender=DraftSender(identity_id=identity.id)))
    await api.ana.post(f"{path}/documents/{document.id}")
    await api.ana.post(f"{path}/documents/{document.id}/link", LinkDocument())
    await api.ana.post(f"{path}/uploads", BeginUpload(filename="film.mp4", size=50_000_000, link_days=30))
    day = datetime.now(UTC).date() + timedelta(days=30)
    meeting = MeetingDetails(title="A look at your bike", day=day, start=time(10), minutes=45, zone="Europe/Berlin")
    await api.ana.put(f"{path}/meeting", meeting)
    reply = next(each for each in await api.ana.get("/drafts", list[Draft]) if each.conversation_id)
    await api.jonas.post(f"/drafts/{reply.id}/together")


async def make(name: str, folder: Path) -> None:
    with EmbeddedPostgres(folder / "server") as server, environment(folder):
        await migrate(server.dsn)
        async with running(server.dsn) as application:
            cast = await make_cast(application)

            def member(key: str) -> Member:
                user_id, email, cookie = cast.people[key]
                return Member(application, user_id, email, {"tandem_session": cookie})

            await fill(
                Api(
                    application,
                    server.dsn,
                    ana=member("ana"),
                    jonas=member("jonas"),
                    tom=member("tom"),
                    mallory=member("mallory"),
                    support=cast.support,
                    toms_mailbox=cast.toms_mailbox,
                )
            )
        counts = await count_rows(server.dsn)
        (HERE / f"{name}.json").write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        dump = [os.fspath(installed_binaries() / "pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
        subprocess.run(
            [
                *dump,
                f"--file={HERE / f'{name}.dump'}",
                f"--dbname={server.superuser_dsn.replace('/postgres?', '/tandem?')}",
            ],
            check=True,
        )


async def count_rows(dsn: str) -> dict[str, int]:
    """How many rows each of our tables has."""
    database = await asyncpg.connect(dsn)
    try:
        tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        names = [row["tablename"] for row in tables if row["tablename"] not in SKIPPED]
        return {name: await database.fetchval(f'SELECT count(*) FROM "{name}"') for name in names}
    finally:
        await database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(make(sys.argv[1], Path(scratch)))
