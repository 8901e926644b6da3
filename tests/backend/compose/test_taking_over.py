"""A colleague takes over what somebody began to write: nothing of it is lost, and both know who writes on."""

from backend.compose.contracts import Draft, DraftChanged, SaveDraft
from backend.conversations.contracts import ConversationChanged, ConversationDetail
from tests.servers.api import Api
from tests.servers.delivery import deliver
from tests.servers.sending import Desk


async def test_the_text_stays_and_the_author_changes(desk: Desk) -> None:
    number = await deliver(desk.api.support)
    draft = await desk.reply_draft(number, desk.api.jonas, text="Half a sentence")
    taken = await desk.api.ana.post(f"/drafts/{draft.id}/take-over", None, Draft)
    assert (taken.author_id, taken.text, taken.version) == (desk.api.ana.user_id, draft.text, draft.version + 1)
    assert [each.id for each in await desk.api.ana.get("/drafts", list[Draft])] == [draft.id]
    assert await desk.api.jonas.get("/drafts", list[Draft]) == []
    again = await desk.api.ana.post(f"/drafts/{draft.id}/take-over", None, Draft)
    assert again.version == taken.version


async def test_all_who_see_it_are_told_and_the_trail_tells_it_once(served: Api) -> None:
    number = await deliver(served.support)
    draft = await served.jonas.post("/drafts", {"kind": "reply", "conversation_id": number}, Draft)
    async with served.live(served.jonas) as jonas:
        await served.ana.post(f"/drafts/{draft.id}/take-over")
        changed = await jonas.event(ConversationChanged)
        assert changed.row.draft_author_ids == [served.ana.user_id]
        assert (await jonas.event(DraftChanged)).draft.author_id == served.ana.user_id
    detail = await served.jonas.get(f"/conversations/{number}", ConversationDetail)
    [line] = [each for each in detail.activities if each.kind == "took_over"]
    assert (line.actor_id, line.subject_id) == (served.ana.user_id, served.jonas.user_id)


async def test_what_the_former_author_still_saves_is_refused_and_kept(desk: Desk) -> None:
    draft = await desk.reply_draft(await deliver(desk.api.support), desk.api.jonas, text="Half a")
    await desk.api.ana.post(f"/drafts/{draft.id}/take-over")
    late = SaveDraft(version=draft.version, to=draft.to, cc=[], bcc=[], subject=draft.subject, text="Half a sentence")
    refusal = await desk.api.jonas.refused("PUT", f"/drafts/{draft.id}", late)
    assert (refusal.status, refusal.details["given"]["text"]) == (409, "Half a sentence")
    assert refusal.details["stored"]["author_id"] == desk.api.ana.user_id
    refusal = await desk.api.jonas.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 409


async def test_a_stranger_takes_nothing_over(api: Api) -> None:
    draft = await api.jonas.post("/drafts", {"kind": "reply", "conversation_id": await deliver(api.support)}, Draft)
    new = await api.jonas.post("/drafts", {"kind": "new", "mailbox_id": api.support}, Draft)
    assert (await api.mallory.refused("POST", f"/drafts/{draft.id}/take-over")).status == 404
    assert (await api.ana.refused("POST", f"/drafts/{new.id}/take-over")).status == 404
