"""The library of documents: who may use and change one, its versions, and what of it goes into a mail."""

from backend.compose.contracts import Draft
from backend.documents.contracts import Document, SaveDocument
from backend.mail.contracts import MessageItem
from backend.people.contracts import SaveTeam, Team
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def uploaded(
    who: Member, name: str = "prices.pdf", content: bytes = b"old", path: str = "/documents"
) -> Document:
    form = {"file": (name, content, "application/pdf")}
    reply = await who.request("POST", path, files=form)
    assert reply.status_code == 201, reply.text
    return (await who.get("/documents", list[Document], q=""))[-1]


async def names(who: Member, q: str = "") -> list[str]:
    return [each.name for each in await who.get("/documents", list[Document], q=q)]


async def test_a_document_is_for_everybody_until_it_is_kept_for_a_team(api: Api) -> None:
    document = await uploaded(api.jonas, path="/documents?folder=%20Sales%20/%20Offers")
    assert (document.name, document.folder, document.shared) == ("prices", "Sales/Offers", "everybody")
    assert await names(api.mallory, "offers PDF") == ["prices"]
    team = await api.ana.post("/teams", SaveTeam(name="Sales", member_ids=[api.jonas.user_id]), Team)
    kept = SaveDocument(name="Prices", folder="Sales", shared="team", team_id=team.id)
    await api.jonas.put(f"/documents/{document.id}", kept, Document)
    assert (await names(api.jonas), await names(api.mallory)) == (["Prices"], [])
    for path in ("/versions/1", ""):
        refusal = await api.mallory.refused("GET" if path else "DELETE", f"/documents/{document.id}{path}")
        assert refusal.status == 404


async def test_only_its_maker_and_admins_change_a_document(api: Api) -> None:
    document = await uploaded(api.jonas)
    change = SaveDocument(name="Mine")
    assert (await api.mallory.refused("PUT", f"/documents/{document.id}", change)).status == 403
    assert (await api.ana.put(f"/documents/{document.id}", change, Document)).name == "Mine"
    await api.jonas.delete(f"/documents/{document.id}")
    assert await names(api.ana) == []


async def test_a_new_upload_is_a_new_version_and_older_ones_can_be_fetched(api: Api) -> None:
    document = await uploaded(api.ana)
    newer = await uploaded(api.ana, "prices-2027.pdf", b"new", path=f"/documents/{document.id}/versions")
    assert [(each.number, each.filename) for each in newer.versions] == [(2, "prices-2027.pdf"), (1, "prices.pdf")]
    reply = await api.mallory.request("GET", f"/documents/{document.id}/versions/1")
    assert (reply.content, reply.headers["content-type"]) == (b"old", "application/octet-stream")
    assert reply.headers["content-disposition"] == "attachment; filename*=UTF-8''prices.pdf"
    assert reply.headers["x-content-type-options"] == "nosniff"


async def test_a_mail_carries_the_version_of_the_moment_when_it_was_attached(api: Api) -> None:
    document = await uploaded(api.ana)
    draft = await api.ana.post("/drafts", {"kind": "new", "mailbox_id": api.support}, Draft)
    attached = await api.ana.post(f"/drafts/{draft.id}/documents/{document.id}", None, Draft)
    await uploaded(api.ana, "prices-2027.pdf", b"newer", path=f"/documents/{document.id}/versions")
    assert [(each.filename, each.size) for each in attached.attachments] == [("prices.pdf", 3)]
    assert (await api.ana.get(f"/drafts/{draft.id}", Draft)).attachments == attached.attachments


async def test_an_attachment_of_earlier_mail_is_attached_by_who_sees_that_mail(api: Api) -> None:
    conversation_id = await deliver(api.support, write_mail(subject="Invoice", text="Here", attachment=b"\x89PNG\r\n"))
    detail = await api.ana.get(f"/conversations/{conversation_id}")
    message: MessageItem = detail["messages"][0]
    wanted = {"message_id": message["id"], "position": message["attachments"][0]["position"]}  # pyright: ignore
    draft = await api.ana.post("/drafts", {"kind": "new", "mailbox_id": api.support}, Draft)
    attached = await api.ana.post(f"/drafts/{draft.id}/attachments-from-mail", wanted, Draft)
    assert [each.size for each in attached.attachments] == [6]
    toms = await api.tom.post("/drafts", {"kind": "new", "mailbox_id": api.toms_mailbox}, Draft)
    assert (await api.tom.refused("POST", f"/drafts/{toms.id}/attachments-from-mail", wanted)).status == 404
