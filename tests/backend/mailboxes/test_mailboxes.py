"""Making, changing and removing mailboxes, and who may."""

import pytest

from backend.database.connection import execute, fetch, fetch_value
from backend.mailboxes.contracts import (
    CreateMailbox,
    Mailbox,
    MailboxChanged,
    MailboxDeed,
    MailboxGained,
    MailboxGone,
    MailboxSettings,
    Mentionable,
    SetMailboxMembers,
    UpdateMailbox,
)
from backend.people.contracts import SaveTeam, Team, UpdatePerson
from tests.servers.api import Api
from tests.servers.delivery import deliver

SALES = CreateMailbox(kind="group", name="Sales", address="Sales@northwind.example")


async def test_everybody_sees_their_own_mailboxes_alone(api: Api) -> None:
    seen = {
        member.email.partition("@")[0]: [mailbox.id for mailbox in await member.get("/mailboxes", list[Mailbox])]
        for member in api.everybody
    }
    assert seen == {"ana": [api.support], "jonas": [api.support], "tom": [api.toms_mailbox], "mallory": []}


async def test_an_admin_makes_a_group_mailbox_and_its_members_gain_it(served: Api) -> None:
    wanted = CreateMailbox(
        kind="group", name="Sales", address="Sales@northwind.example", member_ids=[served.mallory.user_id]
    )
    async with served.live(served.mallory) as live:
        made = await served.ana.post("/mailboxes", wanted, MailboxSettings)
        gained = (await live.event(MailboxGained)).mailbox
    assert (made.address, made.owner_id, made.account) == ("sales@northwind.example", None, None)
    assert await served.mallory.get("/mailboxes", list[Mailbox]) == [gained]
    assert (await served.ana.refused("GET", f"/mailboxes/{made.id}")).status == 404


async def test_members_make_no_group_mailbox(api: Api) -> None:
    assert (await api.mallory.refused("POST", "/mailboxes", SALES)).status == 403


async def test_anybody_makes_a_personal_mailbox_for_themselves(served: Api) -> None:
    async with served.live(served.mallory) as live:
        own = CreateMailbox(kind="personal", name="My Mailbox", address="mallory@northwind.example")
        made = await served.mallory.post("/mailboxes", own, MailboxSettings)
        assert (await live.event(MailboxGained)).mailbox.owner_id == served.mallory.user_id
    assert made.owner_id == served.mallory.user_id
    assert (await served.ana.refused("PATCH", f"/mailboxes/{made.id}", UpdateMailbox(name="Mine"))).status == 404


async def test_a_personal_mailbox_is_shared_with_nobody(api: Api) -> None:
    shared = CreateMailbox(
        kind="personal", name="Ours", address="ours@northwind.example", member_ids=[api.jonas.user_id]
    )
    assert (await api.ana.refused("POST", "/mailboxes", shared)).status == 422
    members = SetMailboxMembers(member_ids=[api.ana.user_id], team_ids=[])
    assert (await api.tom.refused("PUT", f"/mailboxes/{api.toms_mailbox}/members", members)).status == 422


async def test_an_address_has_one_mailbox(api: Api) -> None:
    again = CreateMailbox(kind="personal", name="Mine", address="SUPPORT@northwind.example")
    assert (await api.mallory.refused("POST", "/mailboxes", again)).status == 409
    taken = UpdateMailbox(address="tom@northwind.example")
    assert (await api.ana.refused("PATCH", f"/mailboxes/{api.support}", taken)).status == 409
    await api.ana.patch(f"/mailboxes/{api.support}", UpdateMailbox(address="support@northwind.example"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "\n"),
        ("address", "sales"),
        ("colour", 10),
        ("default_from_name", "Sales\r\nBcc: all@northwind.example"),
        ("reply_bcc", "crm"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, field: str, value: object) -> None:
    refusal = await api.ana.refused("PATCH", f"/mailboxes/{api.support}", {field: value})
    assert (refusal.status, list(refusal.details["fields"])) == (422, [field])


async def test_a_change_is_told_to_its_readers(served: Api) -> None:
    async with served.live(served.jonas) as live:
        change = UpdateMailbox(name="Service", colour=7, reply_bcc="Crm@northwind.example", private_by_default=True)
        changed = await served.ana.patch(f"/mailboxes/{served.support}", change, MailboxSettings)
        told = (await live.event(MailboxChanged)).mailbox
    assert told == await served.jonas.get(f"/mailboxes/{served.support}", Mailbox)
    assert (changed.name, changed.colour, changed.reply_bcc) == ("Service", 7, "crm@northwind.example")


async def test_settings_are_for_admins_and_its_owner(api: Api) -> None:
    change = UpdateMailbox(name="Mine now")
    support, toms = f"/mailboxes/{api.support}", f"/mailboxes/{api.toms_mailbox}"
    assert (await api.jonas.refused("PATCH", support, change)).status == 403
    assert (await api.mallory.refused("PATCH", support, change)).status == 404
    assert (await api.ana.refused("PATCH", toms, change)).status == 404
    assert (await api.tom.patch(toms, change))["name"] == "Mine now"


async def test_an_admin_sees_settings_of_every_group_mailbox_but_reads_no_mail_there(api: Api) -> None:
    await api.ana.patch(f"/people/{api.tom.user_id}", UpdatePerson(role="admin"))
    settings = await api.tom.get("/mailbox-settings", list[MailboxSettings])
    assert [mailbox.id for mailbox in settings] == [api.support]
    conversation_id = await deliver(api.support)
    assert (await api.tom.refused("GET", f"/mailboxes/{api.support}")).status == 404
    assert (await api.tom.refused("GET", f"/conversations/{conversation_id}")).status == 404


async def test_who_can_be_mentioned(api: Api) -> None:
    service = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.jonas.user_id]), Team)
    await api.ana.post("/teams", SaveTeam(name="Sales", member_ids=[api.mallory.user_id]), Team)
    assert await api.jonas.get(f"/mailboxes/{api.support}/mentionable", Mentionable) == Mentionable(
        person_ids=[api.ana.user_id, api.jonas.user_id], team_ids=[service.id]
    )


async def test_a_mailbox_is_removed_when_its_name_is_repeated(served: Api) -> None:
    await deliver(served.support)
    path = f"/mailboxes/{served.support}"
    assert (await served.ana.refused("DELETE", path, params={"name": "support"})).status == 422
    assert (await served.ana.refused("DELETE", path)).status == 422
    async with served.live(served.jonas) as live:
        await served.ana.delete(path, name="Support")
        assert (await live.event(MailboxGone)).mailbox_id == served.support
    assert await served.jonas.get("/mailboxes") == []
    for table in ("conversations", "messages", "mail_accounts", "contacts", "watermarks"):
        assert await fetch_value(f"SELECT count(*) FROM {table}") == (1 if table == "watermarks" else 0), table
    assert await fetch("SELECT 1 FROM events WHERE stream = $1", f"mailbox:{served.support}") == []


async def test_a_mailbox_stays_while_mail_is_on_its_way_out(api: Api) -> None:
    conversation_id = await deliver(api.support)
    await execute(
        "INSERT INTO outgoing (mailbox_id, conversation_id, author_id, state, message_id, envelope_from, raw_digest, "
        "subject, text, kind, reason, remedy, server_words) "
        "VALUES ($1, $2, $3, 'queued', '<1@x.example>', '', '', '', '', 'reply', '', '', '')",
        api.support,
        conversation_id,
        api.ana.user_id,
    )
    refusal = await api.ana.refused("DELETE", f"/mailboxes/{api.support}", params={"name": "Support"})
    assert refusal.status == 409


async def test_removing_ones_own_mailbox_leaves_nothing_of_it_to_others(api: Api) -> None:
    await deliver(api.toms_mailbox)
    await api.tom.delete(f"/mailboxes/{api.toms_mailbox}", name="My Mailbox")
    for member in api.everybody:
        assert (await member.get("/contacts"))["items"] == []


async def test_only_a_group_mailbox_names_who_sends(api: Api) -> None:
    changed = await api.ana.patch(f"/mailboxes/{api.support}", UpdateMailbox(send_as="on_behalf"), MailboxSettings)
    assert changed.send_as == "on_behalf"
    assert (await api.jonas.get(f"/mailboxes/{api.support}", Mailbox)).send_as == "on_behalf"
    refusal = await api.tom.refused("PATCH", f"/mailboxes/{api.toms_mailbox}", UpdateMailbox(send_as="person"))
    assert list(refusal.details["fields"]) == ["send_as"]
    assert (await api.ana.refused("PATCH", f"/mailboxes/{api.support}", {"send_as": "boss"})).status == 422


async def test_an_admin_sets_what_they_cannot_read_and_whoever_lets_themselves_in_is_seen(api: Api) -> None:
    await api.ana.patch(f"/people/{api.tom.user_id}", UpdatePerson(role="admin"))
    number = await deliver(api.support)
    path = f"/mailboxes/{api.support}"
    changed = await api.tom.patch(path, UpdateMailbox(default_from_name="Northwind"), MailboxSettings)
    assert changed.default_from_name == "Northwind"
    assert changed in await api.tom.get("/mailbox-settings", list[MailboxSettings])
    for forbidden in (path, f"{path}/conversations", f"/conversations/{number}", f"{path}/activity"):
        assert (await api.tom.refused("GET", forbidden)).status == 404
    everybody = [api.ana.user_id, api.jonas.user_id, api.tom.user_id]
    await api.tom.put(f"{path}/members", SetMailboxMembers(member_ids=everybody, team_ids=[]))
    assert (await api.tom.get(path, Mailbox)).id == api.support
    members, settings, created = await api.jonas.get(f"{path}/activity", list[MailboxDeed])
    assert (members.kind, members.actor_id, members.added_ids) == ("members", api.tom.user_id, [api.tom.user_id])
    assert (settings.kind, settings.actor_id, settings.changed) == ("changed", api.tom.user_id, ["default_from_name"])
    assert (created.kind, created.added_ids) == ("created", [api.ana.user_id, api.jonas.user_id])
    audit = (await api.ana.get("/audit"))["items"]
    assert [(each["action"], each["actor_id"]) for each in audit[:2]] == [
        ("mailbox_members_set", api.tom.user_id),
        ("mailbox_changed", api.tom.user_id),
    ]
