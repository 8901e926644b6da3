"""Files that mails link to: who gets them, for how long, and what is counted."""

import re
from collections.abc import Mapping

import httpx
import pytest

from backend.compose.contracts import Draft, Outgoing, SendDraft
from backend.conversations.contracts import ConversationDetail, SharedFileChanged
from backend.database.connection import execute, fetch_value
from backend.documents.contracts import Document, LinkDocument, MadeLink, SharedFile, SharedFileViews
from backend.mail.contracts import MailAddress
from backend.mail.raw import load_raw
from backend.uploads.actions import SMALLEST_PART, drop_old_uploads
from sync.mime.parse import parse_message
from tests.backend.documents.test_documents import uploaded
from tests.backend.uploads.test_uploads import CONTENT, begin, draft_of, path_of, send_all
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


DAN = MailAddress(name="Dan", address="dan@customer.example")


async def sent_to_each(api: Api, draft: Draft, made: MadeLink) -> list[Outgoing]:
    """To Carla and to Dan; answers their mails."""
    saved = {"version": draft.version, "to": [CARLA, DAN], "cc": [], "bcc": [], "subject": "Prices"}
    saved |= {"text": made.text, "html": made.html}
    draft = await api.ana.put(f"/drafts/{draft.id}", saved, Draft)
    given = SendDraft(version=draft.version, undo_seconds=30, one_each=True)
    await api.ana.post(f"/drafts/{draft.id}/send", given, Outgoing)
    return (await api.ana.get(f"/conversations/{draft.conversation_id}", ConversationDetail)).outgoing


async def url_in(outgoing_id: int) -> str:
    """The link that stands in this mail, as it leaves: in both of its texts."""
    raw = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing_id))
    parsed = parse_message(raw)
    found = re.findall(r"http://\S+/api/v1/shared/[\w-]{43}", f"{parsed.text} {parsed.html}")
    assert len(found) >= 2 and len(set(found)) == 1
    return found[0]


async def test_mails_to_each_have_links_of_their_own_so_that_one_knows_who_opened(api: Api) -> None:
    draft, _, made = await linked(api)
    carlas, dans = await sent_to_each(api, draft, made)
    urls = [await url_in(carlas.id), await url_in(dans.id)]
    assert len({made.url, *urls}) == 3
    assert (await opened(api, urls[1])).content == b"old"
    told = [(each.recipient, each.views) for each in await files(api, draft.conversation_id)]
    assert told == [(CARLA, 0), (DAN, 1)]
    assert (await opened(api, made.url)).status_code == 404  # the draft's own, which nobody got


async def test_the_draft_has_its_link_again_when_all_mails_to_each_are_taken_back(api: Api) -> None:
    draft, _, made = await linked(api)
    carlas, dans = await sent_to_each(api, draft, made)
    url = await url_in(dans.id)
    again = await api.ana.post(f"/outbox/{carlas.id}/undo", None, Draft)
    assert made.url in again.text and await files(api, draft.conversation_id) == []
    assert (await opened(api, made.url)).status_code == 200
    assert (await opened(api, url)).status_code == 404


async def test_one_of_the_mails_to_each_is_edited_with_its_own_link(api: Api) -> None:
    draft, _, made = await linked(api)
    carlas, dans = await sent_to_each(api, draft, made)
    url = await url_in(carlas.id)
    again = await api.ana.post(f"/outbox/{carlas.id}/resolve", {"choice": "edit"}, Draft)
    assert url in again.text and [each.recipient for each in await files(api, draft.conversation_id)] == [DAN]
    assert (await opened(api, url)).status_code == 200
    await sent(api, again)
    assert [each.recipient for each in await files(api, draft.conversation_id)] == [None, DAN]
    assert (await opened(api, await url_in(dans.id))).status_code == 200


async def test_who_is_sent_to_when_the_others_are_taken_back_keeps_the_link(api: Api) -> None:
    draft, _, made = await linked(api)
    carlas, dans = await sent_to_each(api, draft, made)
    await execute("UPDATE outgoing SET state = 'sent', sent_at = now() WHERE id = $1", dans.id)
    await api.ana.post(f"/outbox/{carlas.id}/undo", None, Draft)
    assert [each.recipient for each in await files(api, draft.conversation_id)] == [DAN]
    assert (await opened(api, await url_in(dans.id))).status_code == 200
    assert (await opened(api, made.url)).status_code == 200  # the draft's


# -- files of one's own, in parts ----------------------------------------------------------------------------------


async def large_link(api: Api, content: bytes = CONTENT) -> tuple[Draft, MadeLink]:
    """A draft of Ana's in a conversation, with a link to a file that she sent up."""
    conversation_id = await deliver(api.support)
    draft = await api.ana.post("/drafts", {"kind": "reply", "conversation_id": conversation_id}, Draft)
    path = path_of(draft, await begin(api.ana, draft, size=len(content), link_days=7))
    await send_all(api.ana, path, content)
    made = await api.ana.post(f"{path}/link", None, MadeLink)
    saved = {"version": draft.version, "to": [CARLA], "cc": [], "bcc": [], "subject": "Film", "text": made.text}
    return await api.ana.put(f"/drafts/{draft.id}", saved, Draft), made


async def test_a_file_of_ones_own_is_linked_counted_and_comes_in_its_parts(api: Api) -> None:
    draft, made = await large_link(api)
    assert draft.attachments == []
    await sent(api, draft)
    reply = await opened(api, made.url)
    assert reply.content == CONTENT and reply.headers["content-length"] == str(len(CONTENT))
    assert reply.headers["content-type"] == "application/octet-stream" and "bridge.mp4" in str(reply.headers)
    assert [(each.filename, each.views) for each in await files(api, draft.conversation_id)] == [("bridge.mp4", 1)]


async def test_the_rest_of_it_can_be_fetched_after_a_line_broke(api: Api) -> None:
    _, made = await large_link(api)
    begins = SMALLEST_PART + 100
    reply = await opened(api, made.url, range=f"bytes={begins}-")
    assert (reply.status_code, reply.content) == (206, CONTENT[begins:])
    assert reply.headers["content-range"] == f"bytes {begins}-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert (await opened(api, made.url, range="bytes=0-99, 200-299")).content == CONTENT


async def test_its_bytes_stay_while_the_link_leads_to_it_and_go_afterwards(api: Api) -> None:
    draft, made = await large_link(api)
    await sent(api, draft)
    await execute("UPDATE uploads SET touched_at = now() - interval '9 days'")
    assert await drop_old_uploads() == 0
    assert (await opened(api, made.url)).content == CONTENT
    await execute("UPDATE shared_files SET ends_at = now()")
    assert await drop_old_uploads() == 1
    assert await fetch_value("SELECT count(*) FROM upload_parts") == 0
    assert [each.views for each in await files(api, draft.conversation_id)] == [1]  # what happened is still told


async def test_a_file_that_is_half_up_or_meant_to_be_attached_is_not_linked(api: Api) -> None:
    draft = await draft_of(api.ana, api.support)
    half = await begin(api.ana, draft, link_days=7)
    assert (await api.ana.refused("POST", f"{path_of(draft, half)}/link")).status == 409
    assert (await api.ana.refused("POST", f"{path_of(draft, half)}/attach")).status == 409
    await send_all(api.ana, path_of(draft, half))
    assert (await api.ana.refused("POST", f"{path_of(draft, half)}/attach")).status == 422
    whole = await begin(api.ana, draft)
    await send_all(api.ana, path_of(draft, whole))
    assert (await api.ana.refused("POST", f"{path_of(draft, whole)}/link")).status == 422
