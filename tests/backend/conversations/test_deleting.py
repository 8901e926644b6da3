"""Deleting for good: only from the Trash, by those who may; nothing of it is left to be read, and it does not come
back."""

from datetime import UTC, datetime, timedelta

from backend.compose.contracts import Draft, SendDraft
from backend.conversations.contracts import (
    AddComment,
    ConversationGone,
    ConversationPage,
    EmptiedTrash,
    ManyChanged,
    SetReminder,
    SetStatus,
    SetVisibility,
)
from backend.database.connection import execute, fetch, fetch_value
from backend.people.contracts import UpdatePerson
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail

WORD = "Xylophonquark"


async def in_the_trash(api: Api, **mail: str) -> int:
    number = await deliver(api.support, write_mail(**mail))  # pyright: ignore[reportArgumentType] # texts only
    await api.ana.put(f"/conversations/{number}/status", SetStatus(status="trash"))
    return number


async def delete_many(person: Member, ids: list[int]) -> ManyChanged:
    return await person.post("/conversations/many", {"ids": ids, "change": {"type": "delete"}}, ManyChanged)


async def everything_stored() -> str:
    """The text of every row that the database holds, but for the bytes of mail that wait to be collected."""
    tables = await fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    found = []
    for table in tables:
        if table["name"] != "raw_messages":
            for row in await fetch(f'SELECT t::text AS row FROM "{table["name"]}" t'):
                found.append(f"{table['name']}: {row['row']}")
    return "\n".join(found)


async def test_nothing_of_it_is_left(api: Api) -> None:
    number = await deliver(api.support, write_mail(subject=f"About {WORD}", text=f"{WORD} it is."))
    path = f"/conversations/{number}"
    mention = AddComment(text=f"@Jonas, {WORD}?", mention_ids=[api.jonas.user_id])
    await api.ana.post(f"{path}/comments", mention)
    await api.jonas.put(f"{path}/reminder", SetReminder(at=datetime.now(UTC) + timedelta(days=1)))
    draft = await api.jonas.post("/drafts", {"kind": "reply", "conversation_id": number}, Draft)
    saved = {"version": draft.version, "to": [], "cc": [], "bcc": [], "subject": WORD, "text": f"Dear {WORD}"}
    await api.jonas.put(f"/drafts/{draft.id}", saved)
    form = {"file": ("list.txt", WORD.encode(), "text/plain")}
    await api.jonas.request("POST", f"/drafts/{draft.id}/attachments", files=form)
    await api.ana.put(f"{path}/status", SetStatus(status="trash"))
    assert WORD in await everything_stored()
    async with api.serving(), api.live(api.jonas) as live:
        await api.ana.delete(path)
        gone = await live.event(ConversationGone)
    assert gone.conversation_id == number
    left = [line[:300] for line in (await everything_stored()).splitlines() if WORD.lower() in line.lower()]
    assert left == []
    for person in (api.ana, api.jonas):
        assert (await person.refused("GET", path)).status == 404
        assert WORD not in str(await person.get("/search", q=WORD))
        assert WORD not in str(await person.get("/notifications"))


async def test_the_audit_log_says_who_and_how_many_and_no_more(api: Api) -> None:
    ids = [await in_the_trash(api, subject=f"{WORD} {number}") for number in range(2)]
    await delete_many(api.ana, ids)
    entry = (await api.ana.get("/audit"))["items"][0]
    assert (entry["action"], entry["actor_id"]) == ("conversations_deleted", api.ana.user_id)
    assert (entry["subject"], entry["detail"]) == (f"mailbox:{api.support}", {"conversations": 2, "messages": 2})


async def test_what_is_not_in_the_trash_or_has_mail_that_waits_stays(api: Api) -> None:
    number = await deliver(api.support)
    refusal = await api.ana.refused("DELETE", f"/conversations/{number}")
    assert (refusal.status, refusal.remedy) == (422, "Move it to the Trash first.")
    draft = await api.ana.post("/drafts", {"kind": "reply", "conversation_id": number}, Draft)
    to = [{"name": "", "address": "carla@customer.example"}]
    saved = {"version": draft.version, "to": to, "cc": [], "bcc": [], "subject": "Re", "text": "Yes."}
    draft = await api.ana.put(f"/drafts/{draft.id}", saved, Draft)
    await api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=draft.version, undo_seconds=3600))
    await api.ana.put(f"/conversations/{number}/status", SetStatus(status="trash"))
    waiting = await api.ana.refused("DELETE", f"/conversations/{number}")
    assert waiting.message == "A mail of this conversation has not left yet."
    other = await in_the_trash(api)
    answer = await delete_many(api.ana, [number, other])
    assert answer.deleted == [other] and [each.conversation_id for each in answer.refused] == [number]


async def test_in_a_group_mailbox_admins_who_are_members_delete(api: Api) -> None:
    number = await in_the_trash(api)
    refusal = await api.jonas.refused("DELETE", f"/conversations/{number}")
    assert (refusal.status, refusal.message) == (403, "Only admins delete for good in a group mailbox.")
    assert [each.error for each in (await delete_many(api.jonas, [number])).refused] == ["forbidden"]
    # An admin who is no member does not even learn that it is there.
    await api.ana.patch(f"/people/{api.tom.user_id}", UpdatePerson(role="admin"))
    assert (await api.tom.refused("DELETE", f"/conversations/{number}")).status == 404
    assert (await api.tom.refused("POST", f"/mailboxes/{api.support}/empty-trash")).status == 404
    await api.ana.patch(f"/people/{api.jonas.user_id}", UpdatePerson(role="admin"))
    await api.jonas.delete(f"/conversations/{number}")


async def test_in_a_personal_mailbox_its_owner_deletes(api: Api) -> None:
    number = await deliver(api.toms_mailbox)
    await api.tom.put(f"/conversations/{number}/status", SetStatus(status="trash"))
    assert (await api.ana.refused("DELETE", f"/conversations/{number}")).status == 404
    await api.tom.delete(f"/conversations/{number}")
    assert await fetch_value("SELECT count(*) FROM conversations WHERE id = $1", number) == 0


async def test_the_trash_is_emptied_of_what_one_sees(api: Api) -> None:
    gone = [await in_the_trash(api) for _ in range(3)]
    kept = await deliver(api.support)
    hidden = await deliver(api.support)
    await api.jonas.put(f"/conversations/{hidden}/visibility", SetVisibility(visibility="confidential"))
    await api.jonas.put(f"/conversations/{hidden}/status", SetStatus(status="trash"))
    answer = await api.ana.post(f"/mailboxes/{api.support}/empty-trash", None, EmptiedTrash)
    assert answer == EmptiedTrash(deleted=len(gone), left=0, refused=[])
    left = await fetch("SELECT id FROM conversations ORDER BY id")
    assert [record["id"] for record in left] == [kept, hidden]
    refused = await api.jonas.post(f"/mailboxes/{api.support}/empty-trash", None, EmptiedTrash)
    assert refused.deleted == 0 and [each.conversation_id for each in refused.refused] == [hidden]


async def test_what_the_server_lists_again_does_not_come_back(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    raw = write_mail(subject="Away with it")
    [uid] = await inbox.deliver(raw)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    [number] = [item.row.id for item in page.items]
    await api.ana.put(f"/conversations/{number}/status", SetStatus(status="trash"))
    await api.ana.delete(f"/conversations/{number}")
    standing = "SELECT uid FROM placements WHERE deleted_id IS NOT NULL ORDER BY uid"
    assert [record["uid"] for record in await fetch(standing)] == [uid]
    # A copy in another place, history or not; it counts as fetched, so that no census fetches it again.
    again = [*await inbox.deliver(raw), *await inbox.deliver(raw, arrived=False)]
    assert [record["uid"] for record in await fetch(standing)] == [uid, *again]
    assert await fetch_value("SELECT count(*) FROM messages") == 0
    assert await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'carry_out'") >= 1
    # An answer to it begins anew; the same identifier with other content is another mail.
    await inbox.deliver(write_mail(subject="Re: Away with it", answers=message_id_of(raw)))
    await inbox.deliver(write_mail(subject="Not that one", message_id=message_id_of(raw)))
    left = await fetch("SELECT subject FROM messages ORDER BY id")
    assert [record["subject"] for record in left] == ["Re: Away with it", "Not that one"]


async def test_the_same_mail_in_another_mailbox_stays(api: Api) -> None:
    raw = write_mail(subject="For two")
    number, other = await deliver(api.support, raw), await deliver(api.toms_mailbox, raw)
    await api.ana.put(f"/conversations/{number}/status", SetStatus(status="trash"))
    await api.ana.delete(f"/conversations/{number}")
    assert (await api.tom.get(f"/conversations/{other}"))["messages"][0]["subject"] == "For two"
    await execute("DELETE FROM placements")
    await deliver(api.toms_mailbox, raw)
    assert await fetch_value("SELECT count(*) FROM messages") == 1
