"""Saved links: who may change them, what their address may be, and how it is filled in."""

import pytest

from backend.compose.contracts import Draft
from backend.links.contracts import FilledLink, SavedLink, SaveLink
from backend.mail.contracts import MailAddress
from backend.templates.contracts import FillIn
from tests.servers.api import Api

MEET = SaveLink(
    kind="appointment",
    name="Choose a time",
    url="https://meet.example/ana?who={{ contact.name }}&at={{ contact.email }}",
)
CARLA = MailAddress(name="Carla & Cía", address="carla+1@customer.example")


async def begun(api: Api) -> Draft:
    return await api.ana.post("/drafts", {"kind": "new", "mailbox_id": api.support}, Draft)


async def test_admins_save_links_and_everybody_finds_them(api: Api) -> None:
    assert (await api.jonas.refused("POST", "/links", MEET)).status == 403
    link = await api.ana.post("/links", MEET, SavedLink)
    assert (link.version, link.fields) == (1, ["contact.name", "contact.email"])
    assert [each.name for each in await api.mallory.get("/links", list[SavedLink], q="TIME appointment")] == [MEET.name]
    assert await api.mallory.get("/links", list[SavedLink], q="survey") == []


async def test_a_link_is_changed_once_for_each_version_and_deleted(api: Api) -> None:
    link = await api.ana.post("/links", MEET, SavedLink)
    change = SaveLink(kind="survey", name="How were we?", url="https://ask.example/", version=1)
    assert (await api.ana.put(f"/links/{link.id}", change, SavedLink)).version == 2
    assert (await api.ana.refused("PUT", f"/links/{link.id}", change)).status == 409
    assert (await api.jonas.refused("DELETE", f"/links/{link.id}")).status == 403
    await api.ana.delete(f"/links/{link.id}")
    assert await api.ana.get("/links") == []


async def test_fields_are_encoded_so_that_they_stay_one_word_of_the_address(api: Api) -> None:
    link = await api.ana.post("/links", MEET, SavedLink)
    draft = await begun(api)
    filled = await api.ana.post(f"/drafts/{draft.id}/links/{link.id}", FillIn(to=[CARLA]), FilledLink)
    url = "https://meet.example/ana?who=Carla%20%26%20C%C3%ADa&at=carla%2B1%40customer.example"
    assert (filled.url, filled.missing, filled.text) == (url, [], f"Choose a time: {url}")
    assert filled.html == f'<p><a href="{url.replace("&at", "&amp;at")}">Choose a time</a></p>'
    [used] = await api.ana.get("/links", list[SavedLink])
    assert used.uses == 1


async def test_a_link_with_an_empty_field_is_not_made_before_that_is_said(api: Api) -> None:
    url = "https://room.example/{{ contact.company }}/{{ me.first_name }}"
    given = SaveLink(kind="deal_room", name="Room", url=url)
    link = await api.ana.post("/links", given, SavedLink)
    draft = await begun(api)
    path = f"/drafts/{draft.id}/links/{link.id}"
    lacking = await api.ana.post(path, FillIn(to=[CARLA]), FilledLink)
    assert (lacking.url, lacking.html, lacking.missing) == ("", "", ["contact.company"])
    filled = await api.ana.post(path, FillIn(to=[CARLA], given={"contact.company": "../a/b"}), FilledLink)
    assert filled.url == "https://room.example/..%2Fa%2Fb/Ana"


async def test_what_may_be_empty_says_so(api: Api) -> None:
    given = SaveLink(kind="survey", name="Ask", url='https://ask.example/?q={{ contact.phone | default("no phone") }}')
    link = await api.ana.post("/links", given, SavedLink)
    draft = await begun(api)
    filled = await api.ana.post(f"/drafts/{draft.id}/links/{link.id}", FillIn(), FilledLink)
    assert filled.url == "https://ask.example/?q=no%20phone"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//meet.example/",
        "https://",
        "https://{{ contact.company }}/",
        "https://meet.example{{ contact.company }}",
        "https://meet.example@evil.example/",
        "https://meet.example\\@evil.example/",
        "https://meet.example/{{ contact.shoe_size }}",
        "https://meet.example/{% if contact.name %}a{% endif %}",
        "https://meet.example/a\nb",
        "https://[::1/",
    ],
)
async def test_no_other_address_is_a_link(api: Api, url: str) -> None:
    refusal = await api.ana.refused("POST", "/links", {"kind": "survey", "name": "Bad", "url": url})
    assert (refusal.status, list(refusal.details["fields"])) == (422, ["url"])
