"""Files that mails link to: who gets them, for how long, and what is counted."""

from collections.abc import Mapping

import httpx
import pytest

from backend.compose.contracts import Draft, Outgoing, SendDraft
from backend.conversations.contracts import ConversationDetail, SharedFileChanged
from backend.database.connection import execute, fetch_value
from backend.documents.contracts import Document, LinkDocument, MadeLink, SharedFile, SharedFileViews
from backend.mail.contracts import MailAddress
from tests.backend.documents.test_documents import uploaded
from tests.servers.api import Api
from tests.servers.delivery import deliver

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CARLA = MailAddress(name="Carla", address="carla@customer.example")


async def opened(api: Api, url: str, *, agent: str = BROWSER, **headers: str) -> httpx.Response:
    """As a reader of the mail opens it, signed in nowhere."""
    path = url.partition("/api/v1")[2]
    given: Mapping[str, str] = {"user-agent": agent} | {name.replace("_", "-"): word for name, word in headers.items()}
    return await api.stranger().client.get(path, headers=given)


async def linked(api: Api, name: str = "prices.pdf") -> tuple[Draft, Document, MadeLink]:
    """A draft of Ana's in a conversation, with a link to a document in it."""
    document = await uploaded(api.ana, name)
    conversation_id = await deliver(api.support)
    draft = await api.ana.post("/drafts", {"kind": "reply", "conversation_id": conversation_id}, Draft)
    made = await api.ana.post(f"/drafts/{draft.id}/documents/{document.id}/link", LinkDocument(days=7), MadeLink)
    saved = {"version": draft.version, "to": [CARLA], "cc": [], "bcc": [], "subject": "Prices", "text": made.text}
    return await api.ana.put(f"/drafts/{draft.id}", saved, Draft), document, made


async def sent(api: Api, draft: Draft) -> Outgoing:
    return await api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=draft.version, undo_seconds=30), Outgoing)


async def files(api: Api, conversation_id: int | None) -> list[SharedFile]:
    return (await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)).shared_files


async def test_who_has_the_link_gets_the_version_of_then_to_save(api: Api) -> None:
    draft, document, made = await linked(api, "Preise „neu“.html")
    await sent(api, draft)
    await uploaded(api.ana, "newer.html", b"<b>newer</b>", path=f"/documents/{document.id}/versions")
    reply = await opened(api, made.url)
    assert (reply.status_code, reply.content) == (200, b"old")
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"].startswith("attachment; filename*=UTF-8''Preise%20")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert "set-cookie" not in reply.headers
    key = made.url.rpartition("/")[2]
    assert await fetch_value("SELECT count(*) FROM shared_files s WHERE s::text LIKE '%' || $1 || '%'", key) == 0


async def test_each_time_it_is_fetched_is_counted_and_told_on_the_conversation(served: Api) -> None:
    draft, _, made = await linked(served)
    async with served.live(served.jonas) as live:
        await sent(served, draft)
        assert (await live.event(SharedFileChanged)).file.views == 0
        await opened(served, made.url)
        told = (await live.event(SharedFileChanged)).file
    assert (told.views, told.filename) == (1, "prices.pdf")
    await execute("UPDATE shared_files SET viewed_at = viewed_at - interval '1 minute'")
    await opened(served, made.url)
    [file] = await files(served, draft.conversation_id)
    path = f"/conversations/{draft.conversation_id}/shared-files/{file.id}/views"
    seen = await served.jonas.get(path, SharedFileViews)
    assert (file.views, len(seen.at)) == (2, 2)
    assert seen.at[0] == file.viewed_at and seen.at[0] > seen.at[1]
    assert (await served.mallory.refused("GET", path)).status == 404


async def test_programs_colleagues_and_what_is_fetched_in_advance_are_not_counted(api: Api) -> None:
    draft, _, made = await linked(api)
    assert (await opened(api, made.url)).status_code == 200  # in a draft it is its writer who tries
    await sent(api, draft)
    await opened(api, made.url, agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    await opened(api, made.url, agent="Mozilla/5.0 (compatible; proofpoint-url-defense)")
    await opened(api, made.url, agent="")
    await opened(api, made.url, sec_purpose="prefetch;prerender")
    await api.jonas.client.get(made.url.partition("/api/v1")[2], headers={"user-agent": BROWSER})
    head = await api.stranger().client.head(made.url.partition("/api/v1")[2], headers={"user-agent": BROWSER})
    assert (head.status_code, head.content) == (200, b"")
    assert [each.views for each in await files(api, draft.conversation_id)] == [0]
    await opened(api, made.url)
    await opened(api, made.url)  # at once again: the same reader's browser
    assert [each.views for each in await files(api, draft.conversation_id)] == [1]


@pytest.mark.parametrize("ended", ["closed", "over", "unknown"])
async def test_a_link_that_has_ended_says_so_and_nothing_else(api: Api, ended: str) -> None:
    draft, _, made = await linked(api)
    await sent(api, draft)
    [file] = await files(api, draft.conversation_id)
    path = f"/conversations/{draft.conversation_id}/shared-files/{file.id}"
    if ended == "closed":
        assert (await api.mallory.refused("DELETE", path)).status == 404
        reply = await api.jonas.request("DELETE", path)
        assert reply.json()["closed"]
    elif ended == "over":
        await execute("UPDATE shared_files SET ends_at = now()")
    url = made.url[:-3] + "AAA" if ended == "unknown" else made.url
    reply = await opened(api, url)
    assert (reply.status_code, "This file is not here any more." in reply.text) == (404, True)
    assert "prices" not in reply.text and "sandbox" in reply.headers["content-security-policy"]


async def test_a_link_goes_with_its_mail(api: Api) -> None:
    draft, _, made = await linked(api)
    outgoing = await sent(api, draft)
    again = await api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert await files(api, draft.conversation_id) == []
    assert (await opened(api, made.url)).status_code == 200  # it stands in the draft once more
    await api.ana.delete(f"/drafts/{again.id}")
    assert (await opened(api, made.url)).status_code == 404


async def test_a_link_that_was_taken_out_of_the_text_opens_nothing(api: Api) -> None:
    draft, _, made = await linked(api)
    saved = {
        "version": draft.version,
        "to": [CARLA],
        "cc": [],
        "bcc": [],
        "subject": "Prices",
        "text": "None after all",
    }
    await sent(api, await api.ana.put(f"/drafts/{draft.id}", saved, Draft))
    assert await files(api, draft.conversation_id) == []
    assert (await opened(api, made.url)).status_code == 404


async def test_the_file_stays_when_the_document_is_deleted(api: Api) -> None:
    draft, document, made = await linked(api)
    await sent(api, draft)
    await api.ana.delete(f"/documents/{document.id}")
    assert (await opened(api, made.url)).content == b"old"


async def test_one_links_only_what_one_may_use(api: Api) -> None:
    draft, document, _ = await linked(api)
    await execute("UPDATE documents SET shared = 'nobody'")
    refusal = await api.jonas.refused("POST", f"/drafts/{draft.id}/documents/{document.id}/link", LinkDocument())
    assert refusal.status == 404
    assert (await api.jonas.refused("POST", f"/drafts/{draft.id}/documents/{document.id}")).status == 404


async def test_mails_to_each_have_one_link_which_is_the_drafts_again_when_all_are_taken_back(api: Api) -> None:
    draft, _, made = await linked(api)
    people = [CARLA, MailAddress(name="Dan", address="dan@customer.example")]
    saved = {"version": draft.version, "to": people, "cc": [], "bcc": [], "subject": "Prices", "text": made.text}
    draft = await api.ana.put(f"/drafts/{draft.id}", saved, Draft)
    given = SendDraft(version=draft.version, undo_seconds=30, one_each=True)
    outgoing = await api.ana.post(f"/drafts/{draft.id}/send", given, Outgoing)
    assert len(await files(api, draft.conversation_id)) == 1
    await opened(api, made.url)
    assert [each.views for each in await files(api, draft.conversation_id)] == [1]
    again = await api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert made.url in again.text and await files(api, draft.conversation_id) == []
    assert (await opened(api, made.url)).status_code == 200
