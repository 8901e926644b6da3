"""A draft that was thrown away comes back: as it was, once, for an hour, to who threw it away."""

from datetime import date, time

from backend.compose.contracts import CreateDraft, Draft, SaveDraft
from backend.conversations.contracts import ConversationDetail
from backend.database.connection import execute, fetch_value
from backend.meetings.contracts import MeetingDetails
from backend.workers.tidy import tidy
from tests.backend.compose.test_drafts import begin, upload
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver


async def written(who: Member, draft: Draft, text: str = "Hello Carla,") -> Draft:
    save = SaveDraft(version=draft.version, to=draft.to, cc=[], bcc=[], subject=draft.subject, text=text)
    return await who.put(f"/drafts/{draft.id}", save, Draft)


async def test_it_comes_back_with_its_files_its_link_and_its_invitation(api: Api) -> None:
    conversation_id = await deliver(api.support)
    draft = await written(api.ana, await begin(api.ana, conversation_id))
    await upload(api.ana, draft, b"one", "one.png")
    form = {"file": ("prices.pdf", b"pdf", "application/pdf")}
    document = (await api.ana.request("POST", "/documents", files=form)).json()
    await api.ana.post(f"/drafts/{draft.id}/documents/{document['id']}/link", {})
    meeting = MeetingDetails(title="A look", day=date(2099, 12, 3), start=time(10), minutes=30, zone="Europe/Lisbon")
    before = await api.ana.put(f"/drafts/{draft.id}/meeting", meeting, Draft)
    await api.ana.delete(f"/drafts/{draft.id}")
    await tidy()

    after = await api.ana.post(f"/discarded-drafts/{draft.id}/restore", None, Draft)
    assert after.version == before.version + 1
    assert (after.id, after.text, after.to) == (before.id, "Hello Carla,", before.to)
    assert (after.attachments, after.meeting) == (before.attachments, before.meeting)
    assert await fetch_value("SELECT count(*) FROM shared_files WHERE draft_id = $1", draft.id) == 1
    assert (await api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)).drafts == [after]


async def test_a_link_comes_back_although_its_document_was_deleted_meanwhile(api: Api) -> None:
    draft = await written(api.ana, await begin(api.ana, await deliver(api.support)))
    form = {"file": ("prices.pdf", b"pdf", "application/pdf")}
    document = (await api.ana.request("POST", "/documents", files=form)).json()
    made = await api.ana.post(f"/drafts/{draft.id}/documents/{document['id']}/link", {})
    await api.ana.delete(f"/drafts/{draft.id}")
    await api.ana.delete(f"/documents/{document['id']}")
    await api.ana.post(f"/discarded-drafts/{draft.id}/restore", None, Draft)
    reply = await api.ana.request("GET", made["url"].partition("/api/v1")[2])
    assert (reply.status_code, reply.content) == (200, b"pdf")


async def test_it_comes_back_once(api: Api) -> None:
    draft = await api.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=api.support), Draft)
    await api.ana.delete(f"/drafts/{draft.id}")
    await api.ana.post(f"/discarded-drafts/{draft.id}/restore", None, Draft)
    refusal = await api.ana.refused("POST", f"/discarded-drafts/{draft.id}/restore", None)
    assert refusal.status == 404
    assert [each.id for each in await api.ana.get("/drafts", list[Draft])] == [draft.id]


async def test_a_colleague_cannot_bring_it_back(api: Api) -> None:
    draft = await begin(api.ana, await deliver(api.support))
    await api.ana.delete(f"/drafts/{draft.id}")
    assert (await api.jonas.refused("POST", f"/discarded-drafts/{draft.id}/restore", None)).status == 404


async def test_who_has_lost_the_mailbox_cannot_bring_it_back(api: Api) -> None:
    conversation_id = await deliver(api.support)
    new = await api.jonas.post("/drafts", CreateDraft(kind="new", mailbox_id=api.support), Draft)
    reply = await begin(api.jonas, conversation_id)
    for draft in (new, reply):
        await api.jonas.delete(f"/drafts/{draft.id}")
    await api.ana.put(f"/mailboxes/{api.support}/members", {"member_ids": [api.ana.user_id], "team_ids": []})
    for draft in (new, reply):
        assert (await api.jonas.refused("POST", f"/discarded-drafts/{draft.id}/restore", None)).status == 404


async def test_after_an_hour_it_is_gone_for_good(api: Api) -> None:
    draft = await begin(api.ana, await deliver(api.support))
    await api.ana.delete(f"/drafts/{draft.id}")
    await execute("UPDATE discarded_drafts SET at = now() - interval '61 minutes'")
    assert (await api.ana.refused("POST", f"/discarded-drafts/{draft.id}/restore", None)).status == 404
    await tidy()
    assert await fetch_value("SELECT count(*) FROM discarded_drafts") == 0


async def test_what_was_written_together_comes_back_as_its_authors_own(api: Api) -> None:
    draft = await written(api.ana, await begin(api.ana, await deliver(api.support)))
    await api.jonas.post(f"/drafts/{draft.id}/together", None, Draft)
    await api.ana.delete(f"/drafts/{draft.id}")
    after = await api.ana.post(f"/discarded-drafts/{draft.id}/restore", None, Draft)
    assert (after.author_id, after.together, after.writer_ids, after.text) == (
        api.ana.user_id,
        False,
        [],
        "Hello Carla,",
    )
