"""Drafts: whom a reply goes to, saving with a version, attachments, and who sees them."""

import httpx

from backend.compose.contracts import CreateDraft, Draft, DraftChanged, DraftGone, QuotedMessage, SaveDraft
from backend.conversations.contracts import ConversationChanged, ConversationDetail
from backend.mail.contracts import MailAddress
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail
from tests.servers.sending import CUSTOMER, Desk


def addresses(people: list[MailAddress]) -> list[str]:
    return [person.address for person in people]


async def begin(who: Member, conversation_id: int, kind: str = "reply") -> Draft:
    return await who.post("/drafts", {"kind": kind, "conversation_id": conversation_id}, Draft)


async def upload(who: Member, draft: Draft, content: bytes, name: str = "photo.png") -> httpx.Response:
    return await who.request("POST", f"/drafts/{draft.id}/attachments", files={"file": (name, content, "image/png")})


async def test_a_reply_goes_to_the_sender_with_re_before_the_subject(api: Api) -> None:
    conversation_id = await deliver(api.support, write_mail(subject="My bike squeaks"))
    draft = await begin(api.ana, conversation_id)
    assert addresses(draft.to) == ["carla@customer.example"]
    assert (draft.cc, draft.subject, draft.text) == ([], "Re: My bike squeaks", "")


async def test_a_reply_goes_to_reply_to_where_the_mail_names_one(api: Api) -> None:
    raw = b"Reply-To: Service <service@customer.example>\r\n" + write_mail()
    draft = await begin(api.ana, await deliver(api.support, raw))
    assert addresses(draft.to) == ["service@customer.example"]


async def test_reply_all_adds_everybody_but_ourselves(api: Api) -> None:
    raw = write_mail(to="Support@northwind.example, bob@customer.example, carla@customer.example")
    raw = b"Cc: Dora <dora@customer.example>, support@northwind.example\r\n" + raw
    draft = await begin(api.ana, await deliver(api.support, raw), "reply_all")
    assert addresses(draft.to) == ["carla@customer.example"]
    assert addresses(draft.cc) == ["bob@customer.example", "dora@customer.example"]


async def test_a_subject_that_has_re_keeps_it_once(api: Api) -> None:
    for subject, expected in (
        ("RE: Order", "RE: Order"),
        ("AW: Order", "Re: Order"),
        ("Order: late", "Re: Order: late"),
    ):
        draft = await begin(api.ana, await deliver(api.support, write_mail(subject=subject)))
        assert draft.subject == expected


async def test_a_forward_quotes_its_message_carries_the_files_and_goes_to_nobody_yet(api: Api) -> None:
    raw = write_mail(subject="Broken frame", text="See the picture.", attachment=b"\x89PNG not really")
    draft = await begin(api.ana, await deliver(api.support, raw), "forward")
    assert (draft.to, draft.subject) == ([], "Fwd: Broken frame")
    assert (draft.quoted, draft.text) == (True, "")
    quote = await api.ana.post(f"/drafts/{draft.id}/quote", None, QuotedMessage)
    assert "See the picture." in quote.text and "From: Carla Customer <carla@customer.example>" in quote.text
    assert [(file.filename, file.size) for file in draft.attachments] == [("photo.png", 15)]


async def test_saving_on_top_of_an_older_version_is_refused_and_both_texts_are_kept(api: Api) -> None:
    draft = await begin(api.ana, await deliver(api.support))
    save = SaveDraft(version=draft.version, to=draft.to, cc=[], bcc=[], subject=draft.subject, text="Ana's text")
    saved = await api.ana.put(f"/drafts/{draft.id}", save, Draft)
    assert (saved.version, saved.text) == (draft.version + 1, "Ana's text")
    stale = SaveDraft(version=draft.version, to=draft.to, cc=[], bcc=[], subject=draft.subject, text="Jonas' text")
    refusal = await api.jonas.refused("PUT", f"/drafts/{draft.id}", stale)
    assert (refusal.status, refusal.error) == (409, "conflict")
    assert refusal.details["stored"]["text"] == "Ana's text"
    assert refusal.details["given"]["text"] == "Jonas' text"
    assert (await api.ana.get(f"/drafts/{draft.id}", Draft)).text == "Ana's text"


async def test_repeating_a_save_whose_answer_was_lost_changes_nothing(api: Api) -> None:
    draft = await begin(api.ana, await deliver(api.support))
    save = SaveDraft(version=draft.version, to=draft.to, cc=[], bcc=[], subject="Re: x", text="Once")
    first = await api.ana.put(f"/drafts/{draft.id}", save, Draft)
    assert await api.ana.put(f"/drafts/{draft.id}", save, Draft) == first


async def test_a_draft_may_hold_what_is_not_an_address_yet(desk: Desk) -> None:
    draft = await desk.new_draft(to=[MailAddress(name="", address="carla@")])
    assert addresses(draft.to) == ["carla@"]
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 422 and "carla@" in refusal.details["fields"]["to"]


async def test_what_no_database_takes_is_cleaned(api: Api) -> None:
    draft = await begin(api.ana, await deliver(api.support))
    save = SaveDraft(version=1, to=[], cc=[], bcc=[], subject="a\x00b\nc", text="x\x00y\r\nz")
    saved = await api.ana.put(f"/drafts/{draft.id}", save, Draft)
    assert (saved.subject, saved.text) == ("a b c", "xy\nz")


async def test_files_can_be_attached_and_taken_off_without_a_new_version(api: Api) -> None:
    draft = await begin(api.ana, await deliver(api.support))
    assert (await upload(api.ana, draft, b"one", "../../one.png")).is_success
    await upload(api.jonas, draft, b"two", "two.png")
    with_both = await api.ana.get(f"/drafts/{draft.id}", Draft)
    assert [(file.filename, file.size) for file in with_both.attachments] == [("one.png", 3), ("two.png", 3)]
    assert with_both.version == draft.version
    await api.ana.delete(f"/drafts/{draft.id}/attachments/{with_both.attachments[0].id}")
    assert [f.filename for f in (await api.ana.get(f"/drafts/{draft.id}", Draft)).attachments] == ["two.png"]


async def test_more_than_25_megabytes_are_refused_with_a_sentence(api: Api) -> None:
    draft = await begin(api.ana, await deliver(api.support))
    assert (await upload(api.ana, draft, bytes(20 * 1024 * 1024))).is_success
    refused = await upload(api.ana, draft, bytes(6 * 1024 * 1024), "second.png")
    assert refused.status_code == 413
    assert "25 MB" in refused.json()["message"] and refused.json()["remedy"]


async def test_all_who_see_the_conversation_hear_of_its_draft(served: Api) -> None:
    conversation_id = await deliver(served.support)
    async with served.live(served.jonas) as jonas, served.live(served.mallory) as mallory:
        draft = await begin(served.ana, conversation_id)
        row = (await jonas.event(ConversationChanged)).row
        assert row.draft_author_ids == [served.ana.user_id]
        assert (await jonas.event(DraftChanged)).draft == draft
        save = SaveDraft(version=1, to=[], cc=[], bcc=[], subject="", text="typing")
        await served.ana.put(f"/drafts/{draft.id}", save)
        assert (await jonas.event(DraftChanged)).draft.text == "typing"
        await served.ana.delete(f"/drafts/{draft.id}")
        assert (await jonas.event(ConversationChanged)).row.draft_author_ids == []
        assert (await jonas.event(DraftGone)).draft_id == draft.id
        assert not [frame for frame in mallory.frames if "event" in type(frame).__name__.lower()]
    detail = await served.ana.get(f"/conversations/{conversation_id}", ConversationDetail)
    assert detail.drafts == []


async def test_a_new_mail_is_its_authors_alone_until_it_is_sent(served: Api) -> None:
    async with served.live(served.ana) as ana:
        draft = await served.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=served.support), Draft)
        assert (await ana.event(DraftChanged)).draft == draft
    assert [each.id for each in await served.ana.get("/drafts", list[Draft])] == [draft.id]
    assert await served.jonas.get("/drafts", list[Draft]) == []
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/send")):
        body = None if method in ("GET", "DELETE") else {}
        assert (await served.jonas.refused(method, f"/drafts/{draft.id}{path}", body)).status in (404,)


async def test_a_stranger_to_the_mailbox_finds_nothing(api: Api) -> None:
    conversation_id = await deliver(api.support)
    draft = await begin(api.ana, conversation_id)
    for body in (
        {"kind": "reply", "conversation_id": conversation_id},
        {"kind": "new", "mailbox_id": api.support},
        {"kind": "reply", "message_id": 1},
    ):
        assert (await api.mallory.refused("POST", "/drafts", body)).status == 404
    assert (await api.mallory.refused("GET", f"/drafts/{draft.id}")).status == 404
    assert (await upload(api.mallory, draft, b"x")).status_code == 404
    assert await api.mallory.get("/outbox") == []


async def test_a_colleague_may_finish_a_shared_draft(desk: Desk) -> None:
    draft = await desk.reply_draft(await deliver(desk.api.support), desk.api.ana)
    outgoing = await desk.send(draft, desk.api.jonas)
    assert outgoing.author_id == desk.api.jonas.user_id
    assert addresses(outgoing.to) == [CUSTOMER.address]
