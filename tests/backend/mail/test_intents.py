"""What is wanted on the server: recorded with the act, once, the newest wish under a new id."""

import asyncio

import pytest

from backend.database.connection import execute, fetch, fetch_value
from backend.events.record import action
from backend.mail.intents import look_after_forgotten, look_again, open_kinds, want
from tests.servers.api import Api


async def messages(mailbox_id: int, number: int = 2) -> list[int]:
    """As many messages of one conversation; their ids."""
    conversation_id = await fetch_value(
        "INSERT INTO conversations (mailbox_id, subject, correspondents, snippet, addressed) "
        "VALUES ($1, 'Bike', '[]', '', '{}') RETURNING id",
        mailbox_id,
    )
    await execute("INSERT INTO raw_messages (digest, size, content) VALUES ('raw', 3, 'raw') ON CONFLICT DO NOTHING")
    return [
        await fetch_value(
            "INSERT INTO messages (mailbox_id, conversation_id, raw_digest, content_digest, message_id, direction, "
            "subject, snippet, body_text) VALUES ($1, $2, 'raw', $3, $3, 'incoming', '', '', '') RETURNING id",
            mailbox_id,
            conversation_id,
            f"{mailbox_id}-{each}",
        )
        for each in range(number)
    ]


async def account(mailbox_id: int) -> int:
    return await fetch_value(
        "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
        "smtp_port, smtp_security, smtp_username, credentials, lease_holder) "
        "VALUES ($1, '', '', '', 1, 'none', '', 1, 'none', '', '', '') RETURNING id",
        mailbox_id,
    )


async def jobs() -> list[bytes]:
    return [row["payload"] for row in await fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'carry_out'")]


async def test_a_wish_is_open_until_confirmed_and_one_job_looks_after_the_account(api: Api) -> None:
    account_id = await account(api.support)
    first, second = await messages(api.support)
    async with action(None):
        await want([first, second], "place", "done")
        await want([first], "seen", "yes")
    assert await open_kinds([first, second, 99]) == {first: {"place", "seen"}, second: {"place"}}
    assert await jobs() == [b'{"account_id":%d}' % account_id]
    await execute("UPDATE server_intents SET confirmed_at = now() WHERE kind = 'place'")
    assert await open_kinds([first, second]) == {first: {"seen"}}


async def test_a_newer_wish_takes_the_place_of_the_older_under_a_new_id(api: Api) -> None:
    await account(api.support)
    [first] = await messages(api.support, 1)
    seen = []
    for value in ("done", "done", "inbox"):
        async with action(None):
            await want([first], "place", value)
        [row] = await fetch("SELECT id, value FROM server_intents")
        seen.append((row["id"], row["value"]))
    assert seen[0] == seen[1]
    assert seen[2][0] > seen[1][0]
    assert [value for _, value in seen] == ["done", "done", "inbox"]


async def test_what_is_rolled_back_was_never_wanted(api: Api) -> None:
    await account(api.support)
    ids = await messages(api.support)
    with pytest.raises(ZeroDivisionError):
        async with action(None):
            await want(ids, "seen", "yes")
            raise ZeroDivisionError
    assert (await open_kinds(ids), await jobs()) == ({}, [])


async def test_mail_without_a_server_wants_nothing_there(api: Api) -> None:
    ids = await messages(api.support)
    async with action(None):
        await want(ids, "seen", "yes")
    assert (await open_kinds(ids), await jobs()) == ({}, [])


async def test_a_job_that_waits_for_its_next_attempt_is_made_due(api: Api) -> None:
    await account(api.support)
    first, second = await messages(api.support)
    async with action(None):
        await want([first], "seen", "yes")
    await execute("UPDATE pgqueuer SET execute_after = now() + interval '1 hour', attempts = 7")
    async with action(None):
        await want([second], "seen", "yes")
    [row] = await fetch("SELECT execute_after <= now() + interval '1 second' AS due, attempts FROM pgqueuer")
    assert (row["due"], row["attempts"]) == (True, 0)


async def test_a_job_under_way_may_have_looked_already_so_another_is_added(api: Api) -> None:
    await account(api.support)
    first, second = await messages(api.support)
    async with action(None):
        await want([first], "seen", "yes")
    await execute("UPDATE pgqueuer SET status = 'picked'")
    async with action(None):
        await want([second], "seen", "yes")
    assert len(await jobs()) == 2


async def test_two_people_who_want_different_things_at_once_end_with_one_wish(api: Api) -> None:
    await account(api.support)
    ids = await messages(api.support)

    async def act(value: str, order: list[int]) -> None:
        async with action(None):
            await want(order, "place", value)

    await asyncio.gather(*(act(value, ids) for value in ("done", "trash", "junk", "inbox")))
    rows = await fetch("SELECT message_id, value FROM server_intents WHERE confirmed_at IS NULL ORDER BY 1")
    assert [row["message_id"] for row in rows] == ids
    assert len({row["value"] for row in rows}) == 1


async def test_what_nobody_carries_any_more_is_taken_up_again(api: Api) -> None:
    account_id = await account(api.support)
    ids = await messages(api.support)
    await look_again(account_id)
    async with action(None):
        await want(ids, "seen", "yes")
    await look_after_forgotten()
    assert len(await jobs()) == 1
    await execute("UPDATE pgqueuer SET status = 'failed'")
    await look_after_forgotten()
    assert len(await jobs()) == 1  # not yet: it was wanted a moment ago
    await execute("UPDATE server_intents SET created_at = now() - interval '2 hours'")
    for _ in range(2):
        await look_after_forgotten()
        assert len(await jobs()) == 2
    await execute("UPDATE server_intents SET confirmed_at = now()")
    await execute("DELETE FROM pgqueuer")
    await look_again(account_id)
    assert await jobs() == []
