"""Templates: who can use and change one, and what it says for one recipient."""

import pytest

from backend.compose.contracts import CreateDraft, Draft
from backend.contacts.contracts import Contact, CreateContact
from backend.mail.contracts import MailAddress
from backend.people.contracts import SaveTeam, Team
from backend.templates.contracts import (
    FillIn,
    MergeField,
    Rendered,
    RenderFor,
    RenderText,
    SaveTemplate,
    Template,
)
from backend.templates.language import check
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver

CARLA = MailAddress(name="Carla Customer", address="carla@customer.example")


async def saved(who: Member, **fields: object) -> Template:
    given = SaveTemplate(**{"name": "Thank you", "text": "Hello {{ contact.first_name }}", **fields})  # pyright: ignore
    return await who.post("/templates", given, Template)


async def names(who: Member, q: str = "") -> list[str]:
    return [each.name for each in await who.get("/templates", list[Template], q=q)]


async def test_a_template_is_its_makers_alone_until_it_is_shared(api: Api) -> None:
    template = await saved(api.ana)
    assert (template.version, template.uses, template.fields) == (1, 0, ["contact.first_name"])
    assert (await names(api.ana), await names(api.jonas)) == (["Thank you"], [])
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/use")):
        body = SaveTemplate(name="Mine", text="", version=1) if method == "PUT" else {}
        refusal = await api.jonas.refused(method, f"/templates/{template.id}{path}", body)
        assert refusal.status == 404
    everybody = SaveTemplate(name="Thank you", text="Hello", shared="everybody", version=1)
    await api.ana.put(f"/templates/{template.id}", everybody, Template)
    assert await names(api.jonas) == ["Thank you"]


async def test_what_is_shared_with_a_team_is_its_members(api: Api) -> None:
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.jonas.user_id]), Team)
    given = {"name": "Refund", "text": "", "shared": "team", "team_id": team.id}
    assert (await api.ana.refused("POST", "/templates", given)).status == 422
    await saved(api.jonas, name="Refund", shared="team", team_id=team.id)
    assert (await names(api.jonas), await names(api.mallory)) == (["Refund"], [])


async def test_only_who_made_it_and_admins_change_what_is_shared(api: Api) -> None:
    template = await saved(api.jonas, shared="everybody")
    change = SaveTemplate(name="Thanks", text="Hi", shared="everybody", version=1)
    assert (await api.mallory.refused("PUT", f"/templates/{template.id}", change)).status == 403
    assert (await api.ana.put(f"/templates/{template.id}", change, Template)).version == 2
    await api.jonas.delete(f"/templates/{template.id}")
    assert await names(api.ana) == []


async def test_of_two_who_change_it_the_second_sees_what_the_first_wrote(api: Api) -> None:
    template = await saved(api.ana)
    first = SaveTemplate(name="Thank you", text="Better", version=1)
    await api.ana.put(f"/templates/{template.id}", first, Template)
    second = SaveTemplate(name="Thank you", text="Worse", version=1)
    refusal = await api.ana.refused("PUT", f"/templates/{template.id}", second)
    assert (refusal.status, refusal.details["stored"]) == (409, "Better")


async def test_templates_are_found_by_words_of_name_folder_and_text(api: Api) -> None:
    await saved(api.ana, name="Sorry", folder=" Support / Délays ", text="The parcel is late.")
    await saved(api.ana, name="Offer", text="Our price")
    assert await names(api.ana, "delays parcel") == ["Sorry"]
    assert await names(api.ana, "100%_") == []
    [found] = await api.ana.get("/templates", list[Template], q="late")
    assert found.folder == "Support/Délays"


async def test_a_template_that_names_what_does_not_exist_is_refused_with_what_was_meant(api: Api) -> None:
    given = {"name": "Thanks", "text": "Hi\n{{ contact.firstname }}"}
    refusal = await api.ana.refused("POST", "/templates", given)
    assert (refusal.status, refusal.remedy, refusal.details["line"]) == (422, "Did you mean contact.first_name?", 2)
    assert "text" in refusal.details["fields"]


async def test_fields_come_from_the_first_recipient_the_writer_and_the_mailbox(api: Api) -> None:
    text = "{{ contact.first_name }}/{{ contact.company }}/{{ me.name }}/{{ mailbox.name }}/{{ organisation.name }}"
    template = await saved(api.ana, subject="About {{ conversation.subject }}", text=text)
    await api.ana.post(
        "/contacts", CreateContact(name="Carla Customer", company="Customer & Co", addresses=[CARLA.address]), Contact
    )
    conversation_id = await deliver(api.support)
    wanted = RenderFor(to=[MailAddress(name="", address=CARLA.address)], conversation_id=conversation_id)
    rendered = await api.ana.post(f"/templates/{template.id}/use", wanted, Rendered)
    assert rendered.subject == "About My bike squeaks"
    assert rendered.text == "Carla/Customer & Co/Ana Ribeiro/Support/Northwind Bikes"
    assert rendered.missing == []
    [after] = await api.ana.get("/templates", list[Template])
    assert after.uses == 1 and after.last_used_at is not None


@pytest.mark.parametrize(
    ("name", "first"), [("Customer, Carla", "Carla"), ("Carla", "Carla"), ("Carla von Customer", "Carla"), ("", "")]
)
async def test_the_first_name_is_taken_from_the_name(api: Api, name: str, first: str) -> None:
    wanted = RenderText(to=[MailAddress(name=name, address="c@customer.example")], text="{{ contact.first_name }}")
    rendered = await api.ana.post("/rendered-text", wanted, Rendered)
    assert (rendered.text, rendered.missing) == (
        (first, []) if first else ("[contact first name]", ["contact.first_name"])
    )


async def test_what_a_person_may_not_know_does_not_fill_a_field(api: Api) -> None:
    """Mallory opens no mailbox that Carla wrote to."""
    await deliver(api.support)
    wanted = RenderText(to=[MailAddress(name="", address=CARLA.address)], text="{{ contact.name }}")
    assert (await api.ana.post("/rendered-text", wanted, Rendered)).text == "Carla Customer"
    assert (await api.mallory.post("/rendered-text", wanted, Rendered)).missing == ["contact.name"]
    for place in ({"mailbox_id": api.support}, {"conversation_id": await deliver(api.support)}):
        assert (await api.mallory.refused("POST", "/rendered-text", {"text": "", **place})).status == 404


async def test_a_preview_with_examples_lacks_nothing(api: Api) -> None:
    offered = await api.ana.get("/merge-fields", list[MergeField])
    text = " ".join("{{ " + field.name + " }}" for field in offered)
    rendered = await api.ana.post("/rendered-text", RenderText(text=text, examples=True), Rendered)
    assert rendered.text == " ".join(field.example for field in offered) and rendered.missing == []


async def test_every_field_that_is_offered_can_be_named(api: Api) -> None:
    for field in await api.ana.get("/merge-fields", list[MergeField]):
        check("{{ " + field.name + " }}")
        assert field.example


async def test_a_template_goes_into_a_draft_with_what_the_writer_adds(api: Api) -> None:
    template = await saved(api.ana, text="Call {{ contact.phone }},\n\n{{ contact.first_name }} <3", shared="everybody")
    conversation_id = await deliver(api.support)
    draft = await api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=conversation_id), Draft)
    path = f"/drafts/{draft.id}/templates/{template.id}"
    said = await api.ana.post(path, FillIn(to=[CARLA]), Rendered)
    assert (said.text, said.missing) == ("Call [contact phone],\n\nCarla <3", ["contact.phone"])
    assert said.html == (
        '<p style="margin:0">Call [contact phone],</p><p style="margin:0"></p><p style="margin:0">Carla &lt;3</p>'
    )
    given = {"contact.phone": "12 34", "contact.first_name": "Nobody"}
    said = await api.ana.post(path, FillIn(to=[CARLA], given=given), Rendered)
    assert (said.text, said.missing) == ("Call 12 34,\n\nCarla <3", [])  # what is known stays
    refusal = await api.ana.refused("POST", path, FillIn(given={"contact.password": "x"}))
    assert (refusal.status, refusal.message) == (422, "There is no field “contact.password”.")
    [after] = await api.ana.get("/templates", list[Template])
    assert after.uses == 2
    own = await saved(api.jonas)
    assert (await api.ana.refused("POST", f"/drafts/{draft.id}/templates/{own.id}", {})).status == 404
    assert (await api.mallory.refused("POST", path, {})).status == 404


async def test_a_preview_counts_as_no_use(api: Api) -> None:
    template = await saved(api.ana)
    wanted = RenderFor(to=[CARLA], mailbox_id=api.support)
    assert (await api.ana.post(f"/templates/{template.id}/preview", wanted, Rendered)).text == "Hello Carla"
    assert (await api.jonas.refused("POST", f"/templates/{template.id}/preview", {})).status == 404
    [after] = await api.ana.get("/templates", list[Template])
    assert after.uses == 0
