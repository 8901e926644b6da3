"""A draft that several write together: what each types reaches the others, is stored, and becomes the mail."""

import asyncio
from collections.abc import Awaitable, Callable

import pycrdt
import pytest
from pycrdt import Doc, Map
from websockets.exceptions import InvalidStatus

from backend.compose.actions import together
from backend.compose.contracts import Draft, Outgoing, SaveDraft, SendDraft
from backend.compose.together.contracts import (
    LARGEST_CHANGE,
    Begun,
    MakeChange,
    MoveCursor,
    Refused,
    Welcome,
    Writers,
)
from backend.compose.together.document import Document
from backend.database.connection import engine, execute, fetch_value
from backend.events.contracts import ClosingFrame
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import SetMailboxMembers
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver
from tests.servers.sending import Desk
from tests.servers.together import Pen, Sheet, pen


async def shared_draft(api: Api, text: str = "Hello", html: bool = False) -> Draft:
    """Jonas' reply, in which Ana writes with him."""
    number = await deliver(api.support)
    draft = await api.jonas.post("/drafts", {"kind": "reply", "conversation_id": number}, Draft)
    given = SaveDraft(
        version=draft.version, to=draft.to, cc=[], bcc=[], subject=draft.subject, text=text, html=text if html else None
    )
    await api.jonas.put(f"/drafts/{draft.id}", given)
    return await api.ana.post(f"/drafts/{draft.id}/together", None, Draft)


async def says(who: Member, draft: Draft, text: str) -> Draft:
    """The draft, once it says this."""
    async with asyncio.timeout(10):
        while True:
            found = await who.get(f"/drafts/{draft.id}", Draft)
            if found.text == text:
                return found
            await asyncio.sleep(0.02)


async def test_both_see_both_and_the_draft_follows(served: Api) -> None:
    draft = await shared_draft(served)
    assert draft.together
    async with pen(served, served.jonas, draft) as his, pen(served, served.ana, draft) as hers:
        await his.begin("Hello")
        await hers.begin("Hello")
        await hers.write(0, 5, " Carla")
        await his.until(lambda: his.lines == ["Hello Carla"])
        await his.write(0, 11, ", we look into it.")
        await hers.until(lambda: hers.lines == ["Hello Carla, we look into it."])
        stored = await says(served.ana, draft, "Hello Carla, we look into it.")
    assert (stored.html, stored.author_id) == (None, served.jonas.user_id)
    assert stored.version > draft.version


async def test_of_two_beginnings_one_counts(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his, pen(served, served.ana, draft) as hers:
        # Both have been told that nobody has begun: who is told that somebody has does not begin.
        assert [(await each.heard(Welcome)).begun for each in (his, hers)] == [None, None]
        await asyncio.gather(his.begin("Hello"), hers.begin("Hello"))
        assert (await his.heard(Begun)).change == (await hers.heard(Begun)).change
        assert his.lines == hers.lines == ["Hello"]


async def test_who_writes_is_the_servers_word(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his, pen(served, served.ana, draft) as hers:
        await his.begin("Hello")
        await hers.say(MoveCursor(client=7, cursor="here"))
        told = await his.heard(Writers, lambda frame: frame.writers and frame.writers[0].client == 7)
        [writer] = told.writers
        assert (writer.user_id, writer.name, writer.cursor) == (served.ana.user_id, "Ana Ribeiro", "here")
        assert await his.heard(Writers, lambda frame: len(frame.writers) == 1)
    # who left is not named any more
    async with pen(served, served.jonas, draft) as his:
        assert await his.heard(Writers) == Writers(writers=[])


async def test_what_is_written_while_the_line_is_down_comes_together_again(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his:
        await his.begin("Hello")
        async with pen(served, served.ana, draft) as hers:
            await hers.begin()
        hers.line().insert(5, " Carla")  # without a line
        await his.write(0, 0, "> ")
        async with pen(served, served.ana, draft, hers.doc) as again:
            await again.catch_up()
            await his.until(lambda: his.lines == ["> Hello Carla"])
            await again.until(lambda: again.lines == ["> Hello Carla"])


async def test_a_change_sent_twice_is_there_once(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his:
        await his.begin("Hello")
        before = his.doc.get_state()
        his.line().insert(5, "!")
        change = his.doc.get_update(before)
        await his.send(change)
        await his.stored(await his.send(change))
        await says(served.ana, draft, "Hello!")


async def test_recipients_and_subject_are_written_together_too(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his:
        await his.begin("Hello")
        before = his.doc.get_state()
        his.fields["subject"] = "Re: Another"
        his.fields["cc"] = [{"name": "Mei", "address": "mei@northwind.example"}]
        his.fields["to"] = "nobody in particular"  # of another form: it stays as it was
        his.fields["version"] = 900
        his.line().insert(5, ".")
        await his.stored(await his.send(his.doc.get_update(before)))
        stored = await says(served.ana, draft, "Hello.")
    assert (stored.subject, stored.to) == ("Re: Another", draft.to)
    assert stored.cc == [MailAddress(name="Mei", address="mei@northwind.example")]


async def test_a_save_over_it_is_refused_and_both_texts_kept(served: Api) -> None:
    draft = await shared_draft(served)
    own = SaveDraft(version=draft.version, to=draft.to, cc=[], bcc=[], subject=draft.subject, text="Mine")
    refusal = await served.jonas.refused("PUT", f"/drafts/{draft.id}", own)
    assert (refusal.status, refusal.error) == (409, "written_together")
    assert (refusal.details["given"]["text"], refusal.details["stored"]["text"]) == ("Mine", "Hello")


async def test_a_draft_that_nobody_called_shared_has_no_socket(served: Api) -> None:
    number = await deliver(served.support)
    draft = await served.jonas.post("/drafts", {"kind": "reply", "conversation_id": number}, Draft)
    async with pen(served, served.jonas, draft) as his:
        assert "written together" in (await his.heard(Refused)).message
        await his.heard(ClosingFrame)


@pytest.mark.parametrize("who", ["mallory", "tom"])
async def test_a_stranger_has_no_part_in_it(served: Api, who: str) -> None:
    draft = await shared_draft(served)
    stranger: Member = getattr(served, who)
    assert (await stranger.refused("POST", f"/drafts/{draft.id}/together")).status == 404
    with pytest.raises(InvalidStatus):
        async with pen(served, stranger, draft):
            pass


async def test_who_loses_access_is_shown_out_and_their_last_words_are_not_taken(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his, pen(served, served.ana, draft) as hers:
        await his.begin("Hello")
        await hers.begin()
        only = SetMailboxMembers(member_ids=[served.jonas.user_id], team_ids=[])
        await served.ana.put(f"/mailboxes/{served.support}/members", only)
        hers.line().insert(5, " and goodbye")
        await hers.send(hers.doc.get_update(his.doc.get_state()))
        assert (await hers.heard(ClosingFrame)).reason == "no_access"
        await his.write(0, 5, ".")
        await says(served.jonas, draft, "Hello.")


async def test_who_signs_out_is_shown_out(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.ana, draft) as hers:
        await hers.begin("Hello")
        await served.ana.post("/sign-out")
        assert (await hers.heard(ClosingFrame)).reason == "signed_out"


FOREIGN: Doc = Doc()
FOREIGN.get("elsewhere", type=Map)["a"] = 1


async def of_another_draft(_: Pen) -> bytes:
    return FOREIGN.get_update()


async def follows_nothing(his: Pen) -> bytes:
    unknown: Doc = Doc()
    words = unknown.get("body:1", type=pycrdt.Text)
    words += "a"
    before = unknown.get_state()
    words += "b"
    return unknown.get_update(before)


async def torn(his: Pen) -> bytes:
    return his.doc.get_update()[:-3]


async def noise(_: Pen) -> bytes:
    return b"\xff" * 50


@pytest.mark.parametrize("hostile", [of_another_draft, follows_nothing, torn, noise], ids=lambda made: made.__name__)
async def test_what_does_not_belong_here_is_refused_and_changes_nothing(
    served: Api, hostile: Callable[[Pen], Awaitable[bytes]]
) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his, pen(served, served.ana, draft) as hers:
        await his.begin("Hello")
        await hers.begin()
        await hers.send(await hostile(hers))
        refused = await hers.heard(Refused)
        assert refused.message.startswith("This change") and refused.remedy
        assert (await hers.heard(ClosingFrame)).reason == "refused"
        await his.write(0, 5, "!")
        await says(served.ana, draft, "Hello!")
        async with pen(served, served.ana, draft) as again:
            await again.begin()
            assert again.lines == ["Hello!"]


async def test_sizes_are_bounded(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.ana, draft) as hers:
        await hers.begin("Hello")
        await hers.send(b"\0" * (LARGEST_CHANGE + 10_000))
        assert await hers.heard(Refused)
        assert (await hers.heard(ClosingFrame)).reason == "refused"
    await execute("UPDATE draft_documents SET size = 6291456 WHERE draft_id = $1", draft.id)
    async with pen(served, served.ana, draft) as hers:
        await hers.begin()
        before = hers.doc.get_state()
        hers.line().insert(0, "more")
        await hers.send(hers.doc.get_update(before))
        assert "too long" in (await hers.heard(Refused)).message


@pytest.mark.parametrize("text", ["not json", '{"frame":"change"}', '{"frame":"has","state":"a","x":1}', "[]"])
async def test_what_cannot_be_understood_ends_the_socket(served: Api, text: str) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.ana, draft) as hers:
        await hers.say_raw(text)
        assert "understood" in (await hers.heard(Refused)).message


async def test_html_of_the_document_is_cleaned_like_a_strangers(served: Api) -> None:
    draft = await shared_draft(served, "<p>Hello</p>", html=True)
    async with pen(served, served.ana, draft) as hers:
        await hers.begin("<script>alert(1)</script>")
        before = hers.doc.get_state()
        text = hers.line()
        text.insert(0, "here", {"link": {"href": "javascript:alert(2)"}})
        text.insert(0, "Bold", {"bold": {}})
        picture = pycrdt.XmlElement("image", {"src": 'x" onerror="alert(3)', "alt": "<b>"})
        hers.body.children.append(picture)
        hers.body.children.append(pycrdt.XmlElement("iframe", {"src": "https://evil.example"}))
        await hers.stored(await hers.send(hers.doc.get_update(before)))
        stored = await says(served.ana, draft, "Boldhere<script>alert(1)</script>\n[<b>]")
    assert stored.html is not None
    assert "<strong>Bold</strong>" in stored.html and "&lt;script&gt;" in stored.html
    for forbidden in ("<script", "javascript:", "onerror=", "<iframe"):
        assert forbidden not in stored.html.replace("&quot;", "")


async def test_many_changes_are_kept_as_one(served: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "COMPACT_AFTER", 4)
    draft = await shared_draft(served)
    async with pen(served, served.ana, draft) as hers:
        await hers.begin("Hello")
        for _ in range(10):
            await hers.write(0, 5, "!")
    rows = "SELECT count(*) FROM draft_document_changes"
    assert await fetch_value(rows) < 4
    async with pen(served, served.jonas, draft) as his:
        await his.begin()
        assert his.lines == ["Hello" + "!" * 10]


async def test_what_a_process_did_not_write_into_the_draft_any_more_is_written_by_the_next(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.ana, draft) as hers:
        await hers.begin("Hello")
        await hers.write(0, 5, " again")
        await says(served.ana, draft, "Hello again")
    await execute("UPDATE draft_documents SET written_position = 0 WHERE draft_id = $1", draft.id)
    await execute("UPDATE drafts SET text = 'Hello' WHERE id = $1", draft.id)
    assert await together.behind() == [draft.id]
    await together.follow_document(draft.id, None)
    assert (await served.ana.get(f"/drafts/{draft.id}", Draft)).text == "Hello again"
    assert await together.behind() == []


async def test_what_the_sender_saw_is_sent_and_the_others_are_shown_out(desk: Desk) -> None:
    api = desk.api
    async with api.serving():
        draft = await shared_draft(api)
        async with pen(api, api.jonas, draft) as his, pen(api, api.ana, draft) as hers:
            await his.begin("Hello Carla.")
            await hers.begin()
            await hers.write(0, 12, " And more")
            stored = await says(api.ana, draft, "Hello Carla. And more")
            seen = SaveDraft(
                version=0, to=stored.to, cc=[], bcc=[], subject=stored.subject, text="Hello Carla.", quoted=False
            )
            sent = await api.jonas.post(
                f"/drafts/{draft.id}/send", SendDraft(version=draft.version, seen=seen, undo_seconds=0), Outgoing
            )
            assert sent.text == "Hello Carla."
            assert (await hers.heard(ClosingFrame)).reason == "gone"
    assert await desk.attempt(sent) == "sent"
    [mail] = desk.smtp.messages
    assert b"Hello Carla." in mail.raw and b"And more" not in mail.raw


async def test_only_what_is_written_together_is_sent_as_seen(desk: Desk) -> None:
    draft = await desk.new_draft()
    seen = SaveDraft(version=0, to=draft.to, cc=[], bcc=[], subject="Other", text="Other")
    refusal = await desk.api.ana.refused(
        "POST", f"/drafts/{draft.id}/send", SendDraft(version=draft.version, seen=seen)
    )
    assert refusal.status == 422


async def test_it_can_be_taken_over_and_goes_on(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his:
        await his.begin("Hello")
        await served.ana.post(f"/drafts/{draft.id}/take-over")
        await his.write(0, 5, " you")
        assert (await says(served.ana, draft, "Hello you")).author_id == served.ana.user_id


async def test_two_processes_write_in_the_same_draft(served: Api) -> None:
    """What another process stores comes in by NOTIFY, at the next position."""
    draft = await shared_draft(served)
    async with pen(served, served.jonas, draft) as his:
        await his.begin("Hello")
        elsewhere = Sheet(draft.id)
        elsewhere.doc.apply_update(his.doc.get_update())
        before = elsewhere.doc.get_state()
        elsewhere.line().insert(5, " from afar")
        async with engine.transaction():
            held = await together.hold_document(draft.id, -1)
            whole = Document(draft.id, held.changes)
            await together.store_change(held, draft.id, elsewhere.doc.get_update(before), whole)
        await his.until(lambda: his.lines == ["Hello from afar"])
        await his.write(0, 15, "!")
        await says(served.ana, draft, "Hello from afar!")


async def test_the_welcome_holds_the_draft(served: Api) -> None:
    draft = await shared_draft(served)
    async with pen(served, served.ana, draft) as hers:
        welcome = await hers.heard(Welcome)
        assert (welcome.draft, welcome.begun) == (draft, None)
        await hers.say(MakeChange(number=1, change=b"\0\0"))
        assert "Begin" in (await hers.heard(Refused)).remedy
