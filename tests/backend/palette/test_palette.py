"""The index of the command palette: what one can jump to by its name, and nothing that one may not see."""

from backend.contacts.contracts import Contact, CreateContact
from backend.conversations.contracts import SetStatus, SetVisibility, ShareConversation
from backend.palette.contracts import PaletteIndex
from backend.people.contracts import UpdatePerson
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def index(who: Member) -> PaletteIndex:
    return await who.get("/palette", PaletteIndex)


async def subjects(who: Member) -> list[str]:
    return [each.subject for each in (await index(who)).conversations]


async def people(who: Member, kind: str) -> list[str]:
    return [each.name for each in (await index(who)).people if each.kind == kind]


async def test_conversations_that_are_open_or_done_newest_first(api: Api) -> None:
    ids = [await deliver(api.support, write_mail(subject=f"Mail {number}")) for number in range(4)]
    await api.ana.put(f"/conversations/{ids[0]}/status", SetStatus(status="done"))
    await api.ana.put(f"/conversations/{ids[1]}/status", SetStatus(status="trash"))
    found = (await index(api.ana)).conversations
    assert [(each.subject, each.status) for each in found] == [
        ("Mail 3", "open"),
        ("Mail 2", "open"),
        ("Mail 0", "done"),
    ]
    assert {each.people for each in found} == {"Carla Customer"}


async def test_only_conversations_that_one_sees(api: Api) -> None:
    conversation_id = await deliver(api.support, write_mail(subject="Salaries"))
    path = f"/conversations/{conversation_id}"
    assert await subjects(api.jonas) == ["Salaries"] and await subjects(api.mallory) == []
    await api.ana.post(f"{path}/shares", ShareConversation(user_id=api.tom.user_id))
    assert await subjects(api.tom) == ["Salaries"]
    await api.ana.put(f"{path}/assignee", {"user_id": api.ana.user_id})
    await api.ana.put(f"{path}/visibility", SetVisibility(visibility="confidential"))
    assert (await subjects(api.ana), await subjects(api.jonas), await subjects(api.tom)) == (["Salaries"], [], [])


async def test_contacts_of_ones_mailboxes_and_those_entered_by_hand(api: Api) -> None:
    await deliver(api.support, write_mail(sender="Dana Brook <dana@brook.example>"))
    await api.tom.post("/contacts", CreateContact(name="Priya Shah", addresses=["priya@shah.example"]), Contact)
    assert await people(api.jonas, "contact") == ["Dana Brook", "Priya Shah"]
    assert await people(api.mallory, "contact") == ["Priya Shah"]


async def test_colleagues_whose_account_is_open(api: Api) -> None:
    assert await people(api.tom, "colleague") == ["Ana Ribeiro", "Jonas", "Mallory", "Tom"]
    await api.ana.patch(f"/people/{api.mallory.user_id}", UpdatePerson(active=False))
    assert await people(api.tom, "colleague") == ["Ana Ribeiro", "Jonas", "Tom"]


async def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    await deliver(api.support)
    first = await api.ana.request("GET", "/palette", headers={"accept-encoding": "gzip"})
    known = {"if-none-match": first.headers["etag"]}
    assert (first.headers["content-encoding"], first.headers["cache-control"]) == ("gzip", "no-store")
    again = await api.ana.request("GET", "/palette", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    await deliver(api.support)
    assert (await api.ana.request("GET", "/palette", headers=known)).status_code == 200
