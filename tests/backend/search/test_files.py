"""Files of mail are found by their own names, by who sees the mail."""

from backend.conversations.contracts import SetVisibility, ShareConversation
from backend.search.contracts import FoundFile
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def named(api: Api, filename: str) -> int:
    mail = write_mail(subject="The bridge", text="As promised.", attachment=b"%PDF", filename=filename)
    return await deliver(api.support, mail)


async def found(who: Member, q: str) -> list[str]:
    return [each.filename for each in await who.get("/files", list[FoundFile], q=q)]


async def test_all_words_stand_in_the_name_whatever_their_case_and_accents(api: Api) -> None:
    for filename in ("Vermessung Brücke 100%.pdf", "vermessung_tor.pdf"):
        await named(api, filename)
    assert await found(api.ana, "brucke verMESS") == ["Vermessung Brücke 100%.pdf"]
    assert await found(api.ana, "vermessung") == ["vermessung_tor.pdf", "Vermessung Brücke 100%.pdf"]
    assert await found(api.ana, "0%") == ["Vermessung Brücke 100%.pdf"]
    assert await found(api.ana, "t_r") == []
    assert await found(api.ana, "bridge") == []  # a word of the mail
    assert await found(api.ana, " ") == []


async def test_a_found_file_is_attached(api: Api) -> None:
    await named(api, "plan.pdf")
    [file] = await api.ana.get("/files", list[FoundFile], q="plan")
    draft = await api.ana.post("/drafts", {"kind": "new", "mailbox_id": api.support})
    wanted = {"message_id": file.message_id, "position": file.position}
    attached = await api.ana.post(f"/drafts/{draft['id']}/attachments-from-mail", wanted)
    assert [each["filename"] for each in attached["attachments"]] == ["plan.pdf"]


async def test_only_files_of_mail_that_one_sees(api: Api) -> None:
    conversation_id = await named(api, "salaries.pdf")
    assert await found(api.mallory, "salaries") == [] and await found(api.jonas, "salaries") == ["salaries.pdf"]
    path = f"/conversations/{conversation_id}"
    await api.ana.post(f"{path}/shares", ShareConversation(user_id=api.tom.user_id))
    assert await found(api.tom, "salaries") == ["salaries.pdf"]
    await api.ana.put(f"{path}/assignee", {"user_id": api.ana.user_id})
    await api.ana.put(f"{path}/visibility", SetVisibility(visibility="confidential"))
    assert await found(api.tom, "salaries") == [] and await found(api.jonas, "salaries") == []
    assert await found(api.ana, "salaries") == ["salaries.pdf"]
