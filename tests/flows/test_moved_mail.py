"""Mail that was moved into another mailbox, on a real Dovecot: it stays in the account that it came to, is met there by
the watcher as before, and is neither fetched a second time nor followed."""

from pathlib import Path

from backend.accounts.queries import read_plan
from backend.conversations.contracts import ConversationDetail, MoveConversation, SetStatus
from backend.database.connection import fetch, fetch_value
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from tests.flows.sync_world import Step, World
from tests.servers.api import Template
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Databases
from tests.servers.proxy import Proxy


async def sales_of(world: World[Proxy]) -> int:
    api = world.api
    body = CreateMailbox(
        kind="group", name="Sales", address="sales@northwind.example", member_ids=[api.ana.user_id, api.tom.user_id]
    )
    return (await api.ana.post("/mailboxes", body, MailboxSettings)).id


async def send_to(world: World[Proxy], conversation_id: int, mailbox_id: int) -> None:
    await world.api.ana.put(f"/conversations/{conversation_id}/mailbox", MoveConversation(mailbox_id=mailbox_id))


async def see(world: World[Proxy], conversation_id: int) -> ConversationDetail:
    return await world.api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)


async def standing(world: World[Proxy]) -> dict[str, int]:
    """How many mails each folder of the account holds."""
    return {name: len(there) for name, there in (await world.phone.snapshot()).items() if there}


async def test_moved_mail_lies_in_its_account_as_before(
    cast: Template, databases: Databases, tmp_path: Path, dovecot: Dovecot
) -> None:
    async with World.of(cast, databases, tmp_path, dovecot) as world:
        await world.play(Step("deliver"))
        await world.play(Step("deliver"))
        await world.settle()
        [moved, other] = [row["id"] for row in await fetch("SELECT id FROM conversations ORDER BY id")]
        sales = await sales_of(world)
        await send_to(world, moved, sales)
        await world.settle()
        assert await standing(world) == {"INBOX": 2}

        # What is done with it here is carried over; what the other program does with it there is not followed.
        await world.api.tom.put(f"/conversations/{moved}/status", SetStatus(status="done"))
        await world.settle()
        assert await standing(world) == {"Archive": 1, "INBOX": 1}
        [uid] = (await world.phone.snapshot())["Archive"]
        await world.phone.move("Archive", [uid], "INBOX")
        await world.settle()
        assert (await see(world, moved)).row.status == "done"

        # The inbox is numbered anew, and counted: nothing is missing, nothing comes a second time.
        await world.play(Step("renumber", 0))
        assert world._watcher is not None
        world._watcher.count()
        await world.settle()
        plan = await read_plan(world.mailbox_id)
        assert {folder.state for folder in plan.folders} == {"complete"}
        assert await fetch_value("SELECT count(*) FROM messages") == 2
        assert [row["mailbox_id"] for row in await fetch("SELECT mailbox_id FROM conversations ORDER BY id")] == [
            sales,
            world.mailbox_id,
        ]

        # Deleted there, it stays here; coming back it stands where its status says, and is followed again.
        await send_to(world, moved, world.mailbox_id)
        await world.settle()
        assert await standing(world) == {"Archive": 1, "INBOX": 1}
        await send_to(world, moved, sales)
        [uid] = (await world.phone.snapshot())["Archive"]
        await world.phone.expunge("Archive", [uid])
        await world.settle()
        detail = await see(world, moved)
        assert (detail.row.message_count, detail.row.status) == (1, "done")
        assert (await see(world, other)).row.status == "open"
