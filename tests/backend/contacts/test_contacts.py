"""Contacts: entered, changed by two people, merged, found; and known only to those who may."""

import asyncio
from typing import Any

import pytest

from backend.contacts.contracts import (
    AddressSuggestion,
    Contact,
    ContactChanged,
    ContactGone,
    ContactPage,
    CreateContact,
    MergeContacts,
    SaveContact,
)
from backend.conversations.contracts import ConversationDetail, EarlierConversation, SetVisibility
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


def entered(name: str = "Vento Bikes", *addresses: str, **fields: str) -> CreateContact:
    return CreateContact(name=name, addresses=list(addresses), **fields)


def changed(contact: Contact, **fields: Any) -> SaveContact:
    """What saving `contact` with these fields changed sends."""
    names = ("version", "name", "company", "phone", "notes", "addresses")
    return SaveContact(**{name: getattr(contact, name) for name in names} | fields)


async def names_of(person: Member, q: str = "") -> list[str]:
    page = await person.get("/contacts", ContactPage, q=q)
    return [contact.name for contact in page.items]


async def test_a_contact_entered_by_hand_is_known_to_everybody(api: Api) -> None:
    made = await api.ana.post("/contacts", entered("Vento", "Info@Vento.example", phone="+351 21"), Contact)
    assert (made.addresses, made.version) == (["info@vento.example"], 1)
    for person in api.everybody:
        assert await person.get(f"/contacts/{made.id}", Contact) == made


async def test_a_sender_is_a_contact_of_those_who_can_open_the_mailbox(api: Api) -> None:
    conversation_id = await deliver(api.support)
    detail = await api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)
    assert detail.contact is not None
    assert (detail.contact.name, detail.contact.addresses) == ("Carla Customer", ["carla@customer.example"])
    contact_id = detail.contact.id
    assert await names_of(api.ana) == ["Carla Customer"]
    for stranger in (api.tom, api.mallory):
        assert await names_of(stranger) == []
        assert await names_of(stranger, "carla") == []
        assert await stranger.get("/addresses", list[AddressSuggestion], q="carla") == []
        assert (await stranger.refused("GET", f"/contacts/{contact_id}")).status == 404
        assert (await stranger.refused("GET", f"/contacts/{contact_id}/conversations")).status == 404
        assert (await stranger.refused("PUT", f"/contacts/{contact_id}", changed(detail.contact))).status == 404
        assert (
            await stranger.refused("POST", f"/contacts/{contact_id}/merge", MergeContacts(other_id=1))
        ).status == 404


async def test_entering_an_address_that_one_may_not_know_of_tells_nothing(api: Api) -> None:
    """A refusal would say that somebody else corresponds with it."""
    await deliver(api.support)
    made = await api.mallory.post("/contacts", entered("My Carla", "carla@customer.example"), Contact)
    assert made.addresses == ["carla@customer.example"]
    assert await names_of(api.mallory) == ["My Carla"]
    assert await names_of(api.ana) == ["Carla Customer", "My Carla"]
    own = (await api.ana.get("/contacts", ContactPage, q="carla customer")).items[0]
    merged = await api.ana.post(f"/contacts/{made.id}/merge", MergeContacts(other_id=own.id), Contact)
    assert (merged.name, merged.addresses) == ("My Carla", ["carla@customer.example"])


async def test_an_address_of_a_known_contact_is_refused_with_that_contact(api: Api) -> None:
    first = await api.ana.post("/contacts", entered("Vento", "info@vento.example"), Contact)
    again = await api.ana.refused("POST", "/contacts", entered("Other", "INFO@vento.example"))
    assert (again.status, again.details["contact"]["id"]) == (409, first.id)
    other = await api.ana.post("/contacts", entered("Other", "other@vento.example"), Contact)
    save = changed(other, addresses=["other@vento.example", "info@vento.example"])
    assert (await api.ana.refused("PUT", f"/contacts/{other.id}", save)).status == 409


async def test_saving_over_another_persons_change_is_refused_with_both(api: Api) -> None:
    made = await api.ana.post("/contacts", entered("Vento", "info@vento.example"), Contact)
    first = await api.jonas.put(f"/contacts/{made.id}", changed(made, notes="Pays late."), Contact)
    assert (first.notes, first.version) == ("Pays late.", 2)
    refusal = await api.ana.refused("PUT", f"/contacts/{made.id}", changed(made, notes="Pays at once."))
    assert refusal.status == 409
    assert refusal.details["current"]["notes"] == "Pays late."
    assert refusal.details["yours"]["notes"] == "Pays at once."
    assert await api.ana.get(f"/contacts/{made.id}", Contact) == first


async def test_a_name_that_a_person_typed_stays_whatever_headers_say(api: Api) -> None:
    conversation_id = await deliver(api.support)
    contact = (await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)).contact
    assert contact is not None
    await api.ana.put(f"/contacts/{contact.id}", changed(contact, name="Carla the Great"), Contact)
    await deliver(api.support, write_mail(sender="C. Customer <carla@customer.example>"))
    assert await names_of(api.ana) == ["Carla the Great"]


@pytest.mark.parametrize(
    "wrong",
    [
        entered("", ""),
        entered("", *[]),
        entered("Vento", "no address"),
        entered("Vento", "a@b.example, c@d.example"),
        entered("x" * 201, "a@b.example"),
        entered("nul\x00", "a@b.example"),
        entered("Vento", *[f"a{n}@b.example" for n in range(51)]),
    ],
)
async def test_what_is_no_contact_is_refused_with_its_field(api: Api, wrong: CreateContact) -> None:
    refusal = await api.ana.refused("POST", "/contacts", wrong)
    assert (refusal.status, bool(refusal.details["fields"])) == (422, True)


async def test_merging_unites_addresses_and_notes_and_everybody_is_told(served: Api) -> None:
    api = served
    kept = await api.ana.post("/contacts", entered("Vento", "info@vento.example", notes="One."), Contact)
    other = await api.ana.post(
        "/contacts", entered("Vento Lda", "sales@vento.example", notes="Two.", phone="+351 21"), Contact
    )
    async with api.live(api.mallory) as live:
        merged = await api.jonas.post(f"/contacts/{kept.id}/merge", MergeContacts(other_id=other.id), Contact)
        gone = await live.event(ContactGone)
        assert (gone.contact_id, gone.merged_into) == (other.id, kept.id)
        assert (await live.event(ContactChanged)).contact == merged
    assert merged.addresses == ["info@vento.example", "sales@vento.example"]
    assert (merged.name, merged.notes, merged.phone, merged.version) == ("Vento", "One.\n\nTwo.", "+351 21", 2)
    assert (await api.ana.refused("GET", f"/contacts/{other.id}")).status == 404
    assert (await api.ana.refused("POST", f"/contacts/{kept.id}/merge", MergeContacts(other_id=kept.id))).status == 422


async def test_a_change_is_told_to_those_who_know_the_contact_alone(served: Api) -> None:
    api = served
    await deliver(api.support)
    [contact] = (await api.ana.get("/contacts", ContactPage)).items
    async with api.live(api.jonas) as jonas, api.live(api.mallory) as mallory:
        await api.ana.put(f"/contacts/{contact.id}", changed(contact, phone="+351 22"), Contact)
        assert (await jonas.event(ContactChanged)).contact.phone == "+351 22"
        with pytest.raises(TimeoutError):
            await mallory.event(ContactChanged, 0.5)


async def test_the_list_goes_by_name_page_by_page(api: Api) -> None:
    await asyncio.gather(
        *(api.ana.post("/contacts", entered(f"Shop {number:03}"), Contact) for number in range(60)),
        api.ana.post("/contacts", entered("", "nameless@shop.example"), Contact),
        api.ana.post("/contacts", entered("älpha"), Contact),
        api.ana.post("/contacts", entered("Alpha's Zürich Shop"), Contact),
    )
    first = await api.tom.get("/contacts", ContactPage)
    second = await api.tom.get("/contacts", ContactPage, cursor=first.next_cursor)
    names = [contact.name for contact in first.items + second.items]
    assert (len(first.items), len(names), second.next_cursor) == (50, 63, None)
    assert len(set(names)) == 63
    assert (names[:2], names[-1]) == (["älpha", "Alpha's Zürich Shop"], "")
    assert await names_of(api.tom, "zurich") == ["Alpha's Zürich Shop"]
    assert await names_of(api.tom, "'s z") == ["Alpha's Zürich Shop"]
    assert await names_of(api.tom, "nameless@") == [""]
    assert await names_of(api.tom, "al") == ["älpha", "Alpha's Zürich Shop"]
    assert await names_of(api.tom, "100%") == []


async def test_the_list_refuses_cursors_that_are_none(api: Api) -> None:
    for cursor in ("x", "bm8=", "WzEsMl0=", "W2ZhbHNlLCJhIiwxZTk5OTld", "é", "\x00"):
        assert (await api.ana.refused("GET", "/contacts", params={"cursor": cursor})).status == 400


async def test_completion_puts_recent_correspondents_first_and_knows_colleagues(api: Api) -> None:
    for name in ("joana", "jorge"):
        await deliver(api.support, write_mail(sender=f"{name.title()} <{name}@customer.example>"))
    found = await api.ana.get("/addresses", list[AddressSuggestion], q="jo")
    assert [each.address for each in found] == [
        "jorge@customer.example",
        "joana@customer.example",
        "jonas@northwind.example",
    ]
    assert found[0].contact_id and found[2].contact_id is None
    everywhere = await api.ana.get("/addresses", list[AddressSuggestion], q="customer")
    assert {each.name for each in everywhere} == {"Joana", "Jorge"}
    assert [each.name for each in await api.tom.get("/addresses", list[AddressSuggestion], q="JO")] == ["Jonas"]
    recent = await api.ana.get("/addresses", list[AddressSuggestion])
    assert recent[0].address == "jorge@customer.example"
    assert await api.ana.get("/addresses", list[AddressSuggestion], q="%") == []


async def test_earlier_conversations_are_those_that_the_person_sees(api: Api) -> None:
    first = await deliver(api.support, write_mail(subject="First"))
    second = await deliver(api.support, write_mail(subject="Second"))
    detail = await api.ana.get(f"/conversations/{second}", ConversationDetail)
    assert [(each.id, each.subject) for each in detail.earlier] == [(first, "First")]
    assert detail.contact is not None
    await api.ana.put(f"/conversations/{first}/assignee", {"user_id": api.ana.user_id})
    await api.ana.put(f"/conversations/{first}/visibility", SetVisibility(visibility="confidential"))
    path = f"/contacts/{detail.contact.id}/conversations"
    assert {each.id for each in await api.ana.get(path, list[EarlierConversation])} == {first, second}
    assert {each.id for each in await api.jonas.get(path, list[EarlierConversation])} == {second}


async def test_a_mail_in_ones_own_mailbox_shows_nothing_of_what_others_noted(api: Api) -> None:
    """Anybody can make a personal mailbox, and put mail under any sender's name into it."""
    conversation_id = await deliver(api.support)
    known = (await api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)).contact
    assert known is not None
    await api.jonas.put(f"/contacts/{known.id}", changed(known, name="Carla (pays late)", notes="Never on credit."))
    own = CreateMailbox(kind="personal", name="Mine", address="mallory@northwind.example")
    mine = (await api.mallory.post("/mailboxes", own, MailboxSettings)).id
    forged = write_mail(subject="Hello", sender="Somebody <carla@customer.example>")
    detail = await api.mallory.get(f"/conversations/{await deliver(mine, forged)}", ConversationDetail)
    assert detail.contact is not None
    assert (detail.contact.name, detail.contact.notes) == ("Somebody", "")
    assert await names_of(api.mallory) == ["Somebody"]
    assert (await api.mallory.refused("GET", f"/contacts/{known.id}")).status == 404
    # Nor does what she notes reach those who know the real one, in whose conversations the contact stays as it was.
    await api.mallory.put(f"/contacts/{detail.contact.id}", changed(detail.contact, name="Changed"))
    again = (await api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)).contact
    assert again is not None
    assert (again.id, again.name) == (known.id, "Carla (pays late)")


async def test_what_one_noted_in_private_stays_there_when_the_team_meets_the_same_person(api: Api) -> None:
    own = CreateMailbox(kind="personal", name="Mine", address="ana@northwind.example")
    mine = (await api.ana.post("/mailboxes", own, MailboxSettings)).id
    private = (await api.ana.get(f"/conversations/{await deliver(mine)}", ConversationDetail)).contact
    assert private is not None
    await api.ana.put(f"/contacts/{private.id}", changed(private, notes="My doctor."))
    conversation_id = await deliver(api.support)
    seen = (await api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)).contact
    assert seen is not None and seen.notes == ""
    assert (await api.jonas.refused("GET", f"/contacts/{private.id}")).status == 404
    # Ana, who knows both, sees in the team's conversation what the team sees.
    assert (await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)).contact == seen


async def test_a_personal_mailbox_goes_on_with_the_contact_that_its_owner_knows(api: Api) -> None:
    known = (await api.ana.get(f"/conversations/{await deliver(api.support)}", ConversationDetail)).contact
    own = CreateMailbox(kind="personal", name="Mine", address="ana@northwind.example")
    mine = (await api.ana.post("/mailboxes", own, MailboxSettings)).id
    assert (await api.ana.get(f"/conversations/{await deliver(mine)}", ConversationDetail)).contact == known
