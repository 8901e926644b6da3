"""Outgoing servers: what mail leaves through, chosen and tested by admins."""

import asyncio
from email import message_from_bytes
from email.policy import default
from typing import Any

import msgspec
import pytest

from backend.compose.contracts import Outgoing
from backend.database.connection import execute, fetch_row, fetch_value
from backend.outgoing_servers.contracts import OutgoingServer, SaveOutgoingServer, ServerTest
from backend.workers import server_tests
from backend.workers.outgoing import Sender
from tests.servers.api import Api, Member
from tests.servers.sending import Desk, connect_account
from tests.servers.smtp import RecordingSmtp


@pytest.fixture
def relay() -> Any:
    """A second server, beside the one that Support's account is at."""
    with RecordingSmtp() as server:
        yield server


def at(smtp: RecordingSmtp, **fields: Any) -> SaveOutgoingServer:
    """How one server is given to the settings."""
    given: dict[str, Any] = {
        "name": "Relay",
        "host": "127.0.0.1",
        "port": smtp.port,
        "security": "none",
        "username": "mailer@northwind.example",
        "password": smtp.password,
    }
    return SaveOutgoingServer(**(given | fields))


async def add(who: Member, smtp: RecordingSmtp, **fields: Any) -> OutgoingServer:
    return await who.post("/outgoing-servers", at(smtp, **fields), OutgoingServer)


async def servers(api: Api) -> dict[int, OutgoingServer]:
    return {each.id: each for each in await api.ana.get("/outgoing-servers", list[OutgoingServer])}


async def outcome_of_test(api: Api, server_id: int) -> ServerTest:
    """Press Test, with a worker that does its part."""
    asking = asyncio.create_task(api.ana.post(f"/outgoing-servers/{server_id}/test", None, ServerTest))
    while (job := await fetch_row("DELETE FROM pgqueuer WHERE entrypoint = 'test_server' RETURNING payload")) is None:
        assert not asking.done(), asking.exception()
        await asyncio.sleep(0.02)
    await server_tests.test_server(**msgspec.json.decode(job["payload"]))
    return await asking


async def leave(desk: Desk) -> Outgoing:
    """A mail of Support's, sent as far as one attempt goes."""
    outgoing = await desk.send(await desk.new_draft())
    await desk.attempt(outgoing)
    return outgoing


async def test_an_account_is_the_outgoing_server_of_its_mailbox(desk: Desk) -> None:
    [server] = (await servers(desk.api)).values()
    assert (server.mailbox_id, server.port, server.used_by) == (desk.api.support, desk.smtp.port, [desk.api.support])
    assert server.username == "support@northwind.example"
    outgoing = await leave(desk)
    assert await desk.state(outgoing) == "sent"


async def test_the_database_gives_every_account_its_server_and_takes_it_with_the_account(desk: Desk) -> None:
    await execute("DELETE FROM mail_accounts WHERE mailbox_id = $1", desk.api.support)
    assert await servers(desk.api) == {}
    await connect_account(desk.api.support, desk.smtp)
    assert len(await servers(desk.api)) == 1


async def test_a_mailbox_sends_through_what_an_admin_chose_for_it(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay)
    sending = await desk.api.ana.put(f"/mailboxes/{desk.api.support}/sending", {"server_id": server.id})
    assert sending == {"mailbox_id": desk.api.support, "server_id": server.id, "effective_id": server.id}
    await leave(desk)
    assert (len(relay.messages), len(desk.smtp.messages)) == (1, 0)


async def test_reset_to_default_sends_through_the_own_account_again(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay)
    await desk.api.ana.put(f"/mailboxes/{desk.api.support}/sending", {"server_id": server.id})
    sending = await desk.api.ana.put(f"/mailboxes/{desk.api.support}/sending", {"server_id": None})
    assert sending["server_id"] is None
    await leave(desk)
    assert (len(relay.messages), len(desk.smtp.messages)) == (0, 1)


async def test_a_mailbox_without_an_account_sends_through_the_server_for_all(
    api: Api, relay: RecordingSmtp, private_servers: None
) -> None:
    desk = Desk(api, relay, Sender())
    refusal = await api.ana.refused(
        "POST", f"/drafts/{(draft := await desk.new_draft()).id}/send", {"version": draft.version}
    )
    assert refusal.status == 422
    await add(api.ana, relay, for_all=True)
    await leave(desk)
    assert relay.messages[0].sender == "support@northwind.example"


async def test_one_server_at_most_is_for_all(desk: Desk, relay: RecordingSmtp) -> None:
    first = await add(desk.api.ana, relay, for_all=True)
    second = await add(desk.api.ana, relay, name="Another", for_all=True)
    known = await servers(desk.api)
    assert (known[first.id].for_all, known[second.id].for_all) == (False, True)


async def test_what_waits_leaves_as_by_default_once_its_server_is_removed(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay)
    await desk.api.ana.put(f"/mailboxes/{desk.api.support}/sending", {"server_id": server.id})
    outgoing = await desk.send(await desk.new_draft())
    await desk.api.ana.delete(f"/outgoing-servers/{server.id}")
    assert await desk.attempt(outgoing) == "sent"
    assert len(desk.smtp.messages) == 1


async def test_a_password_is_kept_sealed_and_never_told(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay)
    stored = await fetch_value("SELECT credentials FROM outgoing_servers WHERE id = $1", server.id)
    assert relay.password.encode() not in stored
    assert relay.password not in (await desk.api.ana.request("GET", "/outgoing-servers")).text
    await desk.api.ana.put(f"/outgoing-servers/{server.id}", at(relay, name="Renamed", password=""))
    assert (await outcome_of_test(desk.api, server.id)).ok


async def test_a_password_does_not_go_to_another_server(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay)
    path = f"/outgoing-servers/{server.id}"
    refusal = await desk.api.ana.refused("PUT", path, at(relay, host="elsewhere.example", password=""))
    assert refusal.status == 422
    assert "password" in refusal.details["fields"]


async def test_the_account_of_a_mailbox_is_changed_there(desk: Desk) -> None:
    [server] = (await servers(desk.api)).values()
    for method, body in (("PUT", at(desk.smtp)), ("DELETE", None)):
        assert (await desk.api.ana.refused(method, f"/outgoing-servers/{server.id}", body)).status == 409


async def test_the_account_of_a_personal_mailbox_is_its_owners_affair(desk: Desk) -> None:
    await connect_account(desk.api.toms_mailbox, desk.smtp, user="tom")
    assert [each.mailbox_id for each in (await servers(desk.api)).values()] == [desk.api.support]


async def test_without_tls_a_server_in_the_world_is_refused(api: Api, relay: RecordingSmtp) -> None:
    refusal = await api.ana.refused("POST", "/outgoing-servers", at(relay))
    assert "security" in refusal.details["fields"]


async def test_members_choose_no_server(desk: Desk) -> None:
    path = f"/mailboxes/{desk.api.support}/sending"
    assert (await desk.api.jonas.refused("PUT", path, {"server_id": None})).status == 403
    own = f"/mailboxes/{desk.api.toms_mailbox}/sending"
    assert (await desk.api.tom.refused("PUT", own, {"server_id": None})).status == 403


# -- the test mail -------------------------------------------------------------------------------------------------


async def test_a_test_mail_goes_to_whoever_asks(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay)
    outcome = await outcome_of_test(desk.api, server.id)
    assert [(step.name, step.ok) for step in outcome.steps] == [("connect", True), ("sign_in", True), ("accept", True)]
    assert (outcome.ok, outcome.recipient) == (True, desk.api.ana.email)
    mail = message_from_bytes(relay.messages[0].raw, policy=default)
    assert (mail["From"], mail["Auto-Submitted"]) == ("Tandem <mailer@northwind.example>", "auto-generated")
    assert (await servers(desk.api))[server.id].health.status == "well"
    assert await fetch_value("SELECT count(*) FROM outgoing_server_tests") == 0


async def test_a_wrong_password_is_told_with_what_to_do(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay, password="forgotten")
    outcome = await outcome_of_test(desk.api, server.id)
    assert [(step.name, step.ok) for step in outcome.steps] == [("connect", True), ("sign_in", False)]
    assert (outcome.ok, bool(outcome.reason), bool(outcome.remedy)) == (False, True, True)
    health = (await servers(desk.api))[server.id].health
    assert (health.status, health.reason, health.remedy) == ("failing", outcome.reason, outcome.remedy)


async def test_a_server_that_is_not_there_is_told(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay, port=1)
    outcome = await outcome_of_test(desk.api, server.id)
    assert [(step.name, step.ok) for step in outcome.steps] == [("connect", False)]


async def test_a_refused_sender_is_told_in_plain_words(desk: Desk, relay: RecordingSmtp) -> None:
    server = await add(desk.api.ana, relay)
    relay.misbehave("mail", reply="553 5.7.1 Sender address rejected: not owned by user")
    outcome = await outcome_of_test(desk.api, server.id)
    assert outcome.steps[-1].name == "accept"
    assert not outcome.steps[-1].ok
    assert "5.7.1" in outcome.server_words


# -- what senders meet ---------------------------------------------------------------------------------------------


async def test_a_server_that_fails_is_shown_to_admins_until_a_mail_leaves(desk: Desk) -> None:
    desk.smtp.misbehave("auth", reply="535 5.7.8 Authentication failed")
    outgoing = await leave(desk)
    [server] = (await servers(desk.api)).values()
    assert (server.health.status, bool(server.health.remedy)) == ("failing", True)
    assert "5.7.8" in server.health.server_words
    desk.smtp.behave()
    assert (await desk.api.ana.post(f"/outbox/{outgoing.id}/resolve", {"choice": "send_again"}))["state"] == "queued"
    assert await desk.attempt(outgoing) == "sent"
    [server] = (await servers(desk.api)).values()
    assert server.health.status == "well"


async def test_an_admin_sets_how_fast_mail_may_leave(desk: Desk, relay: RecordingSmtp) -> None:
    added = await add(desk.api.ana, relay, per_minute=30)
    assert (added.per_minute, added.size_limit) == (30, None)
    refusal = await desk.api.ana.refused("PUT", f"/outgoing-servers/{added.id}", at(relay, per_minute=-1))
    assert "per_minute" in refusal.details["fields"]
    changed = await desk.api.ana.put(f"/outgoing-servers/{added.id}", at(relay), OutgoingServer)
    assert changed.per_minute == 0
