"""Which folders are fetched and from when; what is narrowed is hidden, and comes back; pausing; removing copies."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.accounts.actions import report_state
from backend.accounts.contracts import AccountPlan, AccountSettings, AccountState, ConnectAccount, SetPlan
from backend.accounts.plans import history_begins
from backend.conversations.contracts import ConversationDetail, ConversationPage, HistoryStored
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.mail.hiding import hide_and_show
from backend.mail.removal import remove_mail
from backend.mailboxes.contracts import MailboxChanged, WorkCounts
from backend.search.contracts import FoundPage
from backend.workers.incoming import Watchers
from tests.servers.api import Api
from tests.servers.arriving import Arriving
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot

Typed = Callable[..., ConnectAccount]
NOW = datetime.now(UTC)


def mail_of(days: int, subject: str, **fields: Any) -> bytes:
    """A mail that was written some days ago."""
    return write_mail(subject=subject, at=NOW - timedelta(days=days), **fields)


async def subjects(api: Api, view: str = "open") -> set[str]:
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage, view=view)
    return {item.row.subject for item in page.items}


async def account_id(api: Api) -> int:
    return await fetch_value("SELECT id FROM mail_accounts WHERE mailbox_id = $1", api.support)


async def plan(api: Api, **wanted: object) -> AccountPlan:
    """Change the plan, and do what its job does."""
    changed = await api.ana.put(f"/mailboxes/{api.support}/account/plan", SetPlan(**wanted), AccountPlan)  # pyright: ignore[reportArgumentType]
    await hide_and_show(await account_id(api))
    return changed


# -- before anything is fetched ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker", "private_servers")
async def test_folders_are_listed_and_chosen_before_anything_is_fetched(
    api: Api, typed: Typed, dovecot: Dovecot, mail_user: str
) -> None:
    await dovecot.append(mail_user, "INBOX", mail_of(1, "One"), mail_of(2, "Two"))
    await dovecot.create(mail_user, "Orders")
    shown = await api.ana.put(f"/mailboxes/{api.support}/account", typed(begin=False), AccountSettings)
    assert (shown.begun, shown.state.status) == (False, "paused")
    assert shown.state.reason and shown.state.remedy
    listed = await api.ana.get(f"/mailboxes/{api.support}/account/plan", AccountPlan)
    assert [each.role for each in listed.folders[:2]] == ["inbox", "sent"]
    inbox = listed.folders[0]
    assert inbox.chosen and inbox.messages == 2
    assert "Orders" in {each.title for each in listed.folders}
    row = await fetch_row("SELECT * FROM mail_accounts")
    assert row is not None and row["paused_at"] is not None
    await asyncio.sleep(0.01)
    wanted = SetPlan(history="month", folders={"Orders": False})
    begun = await api.ana.put(f"/mailboxes/{api.support}/account/plan", wanted, AccountPlan)
    assert {each.name: each.chosen for each in begun.folders}["Orders"] is False
    assert begun.history_from == history_begins("month")
    after = await fetch_row("SELECT * FROM mail_accounts")
    assert after is not None and after["paused_at"] is None
    assert after["connected_at"] > row["connected_at"], "what came while the person chose is history"
    shown = await api.ana.get(f"/mailboxes/{api.support}/account", AccountSettings)
    assert (shown.begun, shown.state.status) == (True, "connecting")


def test_from_when_is_a_day() -> None:
    now = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    assert history_begins("everything", now) is None
    begins = [history_begins(choice, now) for choice in ("week", "month", "three_months", "year")]
    assert begins[0] == datetime(2026, 11, 16, tzinfo=UTC)
    assert begins == sorted(begins, key=lambda each: each or now, reverse=True)


async def test_the_inbox_cannot_be_left_out_and_folders_must_be_there(api: Api) -> None:
    await Arriving.into(api.support)
    for folders in ({"inbox": False}, {"nowhere": True}):
        refusal = await api.ana.refused("PUT", f"/mailboxes/{api.support}/account/plan", SetPlan(folders=folders))
        assert refusal.status == 422 and "folders" in refusal.details["fields"]


# -- narrowing and widening ----------------------------------------------------------------------------------------


async def test_narrowing_hides_without_deleting_and_widening_shows_again(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.deliver(mail_of(400, "Ancient"), mail_of(60, "Spring"), mail_of(3, "Fresh"), arrived=False)
    assert await subjects(api) == {"Ancient", "Spring", "Fresh"}
    await plan(api, history="year")
    assert await subjects(api) == {"Spring", "Fresh"}
    await plan(api, history="week")
    assert await subjects(api) == {"Fresh"}
    assert (await api.ana.get("/counts", WorkCounts)).mailboxes[0].open == 1
    found = await api.ana.get("/search", FoundPage, q="Spring")
    assert found.items == []
    assert await fetch_value("SELECT count(*) FROM messages") == 3
    await plan(api, history="everything")
    assert await subjects(api) == {"Ancient", "Spring", "Fresh"}


async def test_what_arrived_is_as_old_as_its_arrival_whatever_its_date_says(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.deliver(mail_of(9_000, "From 2002"), arrived=True)
    await plan(api, history="week")
    assert await subjects(api) == {"From 2002"}


async def test_a_conversation_stays_as_long_as_one_of_its_messages_does(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    question = mail_of(60, "Wheels", message_id="<wheels@customer.example>")
    answer = mail_of(2, "Re: Wheels", answers="<wheels@customer.example>")
    await inbox.deliver(question, answer, arrived=False)
    await plan(api, history="week")
    assert len(await subjects(api)) == 1
    assert await fetch_value("SELECT message_count FROM conversations WHERE NOT hidden") == 1


async def test_a_hidden_message_is_neither_read_nor_found_in_a_conversation_that_stays(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    question = mail_of(60, "Wheels", text="The spokes sing.", message_id="<spokes@customer.example>")
    answer = mail_of(2, "Re: Wheels", text="They do so still.", answers="<spokes@customer.example>")
    await inbox.deliver(question, answer, arrived=False)
    await plan(api, history="week")
    conversation_id = await fetch_value("SELECT id FROM conversations WHERE NOT hidden")
    detail = await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)
    assert [message.snippet for message in detail.messages] == ["They do so still."]
    assert (await api.ana.get("/search", FoundPage, q="spokes")).items == []
    assert len((await api.ana.get("/search", FoundPage, q="still")).items) == 1


async def test_a_folder_that_is_not_chosen_is_hidden_unless_its_mail_stands_elsewhere_too(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    archive = await Arriving.into(api.support, "archive")
    both = mail_of(3, "In both")
    await archive.deliver(both, mail_of(4, "In the archive alone"), arrived=False)
    await inbox.deliver(both, mail_of(1, "In the inbox"), arrived=False)
    everything = {"In both", "In the archive alone", "In the inbox"}
    assert await subjects(api, "all") == everything
    await plan(api, folders={"archive": False})
    assert await subjects(api, "all") == {"In both", "In the inbox"}
    await plan(api, folders={"archive": True})
    assert await subjects(api, "all") == everything


async def test_mail_that_is_moved_out_of_a_hidden_folder_is_shown(api: Api) -> None:
    """By another mail program, into a folder that is chosen: nothing is lost by what was left out before."""
    inbox = await Arriving.into(api.support)
    archive = await Arriving.into(api.support, "archive")
    moved = mail_of(3, "Moved back")
    await archive.deliver(moved, mail_of(4, "Stays there"), arrived=False)
    await plan(api, folders={"archive": False})
    assert await subjects(api, "all") == set()
    await inbox.deliver(moved, arrived=True)
    assert await subjects(api, "all") == {"Moved back"}
    await hide_and_show(await account_id(api))
    assert await subjects(api, "all") == {"Moved back"}


@pytest.mark.usefixtures("worker", "private_servers")
async def test_what_an_earlier_account_left_out_is_for_the_next_one_to_decide(api: Api, typed: Typed) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.deliver(mail_of(60, "Spring"), mail_of(3, "Fresh"), arrived=False)
    await plan(api, history="week")
    await api.ana.delete(f"/mailboxes/{api.support}/account")
    assert await subjects(api) == {"Fresh"}
    await api.ana.put(f"/mailboxes/{api.support}/account", typed(), AccountSettings)
    assert await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'hide_and_show'") == 2
    await hide_and_show(await account_id(api))
    assert await subjects(api) == {"Spring", "Fresh"}


async def test_hiding_is_one_event_a_batch(served: Api) -> None:
    api = served
    inbox = await Arriving.into(api.support)
    await inbox.deliver(*(mail_of(60, f"Old {number}") for number in range(20)), arrived=False)
    async with api.live(api.jonas) as live:
        await plan(api, history="week")
        assert (await live.event(HistoryStored)).messages == 20
    await hide_and_show(await account_id(api))
    assert await fetch_value("SELECT count(*) FROM events WHERE body ->> 'type' = 'history_stored'") == 2


# -- pausing -------------------------------------------------------------------------------------------------------


async def test_what_is_paused_is_not_watched_and_says_so(served: Api) -> None:
    api = served
    await Arriving.into(api.support)
    before = await fetch_row("SELECT fence, connected_at FROM mail_accounts")
    assert before is not None
    async with api.live(api.jonas) as live:
        paused = await api.ana.post(f"/mailboxes/{api.support}/account/pause", None, AccountSettings)
        assert (paused.state.status, paused.begun) == ("paused", True)
        account = (await live.event(MailboxChanged)).mailbox.account
        assert account is not None and account.status == "paused"
    row = await fetch_row("SELECT * FROM mail_accounts")
    assert row is not None and row["paused_at"] is not None and row["fence"] > before["fence"]
    await report_state(row["id"], AccountState(mailbox_id=api.support, status="up_to_date", checked_at=NOW))
    shown = await api.ana.get(f"/mailboxes/{api.support}/account", AccountSettings)
    assert shown.state.status == "paused", "a watcher that ends late does not say otherwise"
    resumed = await api.ana.post(f"/mailboxes/{api.support}/account/resume", None, AccountSettings)
    assert resumed.state.status == "connecting"
    row = await fetch_row("SELECT * FROM mail_accounts")
    assert row is not None and row["paused_at"] is None and row["connected_at"] == before["connected_at"]
    assert [each["action"] for each in await fetch("SELECT action FROM audit_entries ORDER BY id DESC LIMIT 2")] == [
        "account_resumed",
        "account_paused",
    ]


# -- removing local copies -----------------------------------------------------------------------------------------


async def removed(api: Api) -> None:
    """What the job does that the last disconnecting left."""
    await remove_mail(api.support, await fetch_value("SELECT coalesce(max(id), 0) FROM messages"))


async def test_disconnecting_can_remove_the_local_copies(served: Api) -> None:
    api = served
    inbox = await Arriving.into(api.support)
    await inbox.deliver(*(mail_of(2, f"Mail {number}") for number in range(5)), arrived=False)
    path = f"/mailboxes/{api.support}/account"
    refusal = await api.ana.refused("DELETE", path, params={"mail": "remove", "name": "Something else"})
    assert refusal.status == 422 and await account_id(api)
    await api.ana.delete(path, mail="remove", name="Support")
    payload = await fetch_value("SELECT payload FROM pgqueuer WHERE entrypoint = 'remove_mail'")
    assert b'"mailbox_id"' in bytes(payload)
    assert len(await subjects(api)) == 5, "in the background"
    await removed(api)
    assert await subjects(api, "all") == set()
    assert await fetch_value("SELECT count(*) FROM messages") == 0
    assert await fetch_value("SELECT count(*) FROM conversations") == 0
    await removed(api)


async def test_what_was_met_again_stays(api: Api) -> None:
    """The mailbox was connected again before the job ran: what stands in a folder now is counted as fetched there."""
    inbox = await Arriving.into(api.support)
    kept, gone = mail_of(2, "Kept"), mail_of(3, "Gone")
    await inbox.deliver(kept, gone, arrived=False)
    await api.ana.delete(f"/mailboxes/{api.support}/account", mail="remove", name="Support")
    await (await Arriving.into(api.support)).deliver(kept, arrived=False)
    await removed(api)
    assert await subjects(api, "all") == {"Kept"}


async def test_a_conversation_with_mail_to_be_sent_stays(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await inbox.deliver(mail_of(2, "Waiting"), mail_of(2, "Gone"), arrived=False)
    conversation_id = await fetch_value("SELECT id FROM conversations WHERE subject = 'Waiting'")
    draft = await api.ana.post("/drafts", {"kind": "reply", "conversation_id": conversation_id})
    saved = {key: [] for key in ("cc", "bcc")} | {
        "version": draft["version"],
        "to": [{"name": "", "address": "carla@customer.example"}],
        "subject": "Re: Waiting",
        "text": "Soon.",
    }
    draft = await api.ana.put(f"/drafts/{draft['id']}", saved)
    await api.ana.post(f"/drafts/{draft['id']}/send", {"version": draft["version"], "undo_seconds": 3600})
    await execute("DELETE FROM mail_accounts")
    await removed(api)
    assert await subjects(api, "all") == {"Waiting"}


# -- what the page shows -------------------------------------------------------------------------------------------


async def test_the_plan_tells_how_complete_each_folder_is_and_what_was_set_aside(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    await execute(
        "UPDATE folders SET title = 'Inbox', server_messages = 12408, server_bytes = 173000000, uid_validity = 1, "
        "backfill_done = true, census = $1",
        '{"checked_at": "2026-11-23T14:02:00Z", "on_server": 12408, "stored": 12407, "missing": 0, "set_aside": 1, '
        '"note": ""}',
    )
    await execute(
        "INSERT INTO messages_set_aside (folder_id, uid, server_words, reason) VALUES ($1, 7, 'NO [SERVERBUG]', "
        "'refused'), ($1, 9, 'too odd', 'unstorable'), ($1, 11, 'too odd', 'unstorable')",
        inbox.folder.folder_id,
    )
    told = await api.ana.get(f"/mailboxes/{api.support}/account/plan", AccountPlan)
    [folder] = told.folders
    assert (folder.messages, folder.bytes) == (12408, 173_000_000)
    assert folder.complete_at == datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
    assert (folder.wanted, folder.stored, folder.missing, folder.set_aside) == (12408, 12407, 0, 3)
    assert folder.state == "partial"
    assert [(each.folder, each.reason, each.messages) for each in told.set_aside] == [
        ("Inbox", "refused", 1),
        ("Inbox", "unstorable", 2),
    ]


COUNTED = '{"checked_at": "2026-11-23T14:02:00Z", "on_server": 1, "stored": 1, "missing": 0, "set_aside": 0}'
REFUSED = (
    '{"at": "2026-11-23T14:02:00Z", "again_at": "2026-11-23T14:07:00Z", "since": "2026-11-22T09:00:00Z", "problem": '
    '{"sentence": "No.", "remedy": "Ask.", "server_words": "NO [NOPERM]", "code": "x", "permanent": false}}'
)


@pytest.mark.parametrize(
    ("state", "columns"),
    [
        ("complete", {"uid_validity": 1, "backfill_done": True, "census": COUNTED}),
        ("counting", {"uid_validity": 1, "backfill_done": True}),
        ("arriving", {"uid_validity": 1, "backfill_done": False, "census": COUNTED}),
        ("waiting", {"uid_validity": 0}),
        ("refused", {"uid_validity": 1, "backfill_done": True, "census": COUNTED, "refused": REFUSED}),
        ("gathers", {"gathers": "some"}),
        ("not_chosen", {"chosen": False, "refused": REFUSED}),
    ],
)
async def test_each_folder_says_whether_it_is_complete_and_why_not(
    api: Api, state: str, columns: dict[str, object]
) -> None:
    await Arriving.into(api.support)
    for name, value in columns.items():
        await execute(f"UPDATE folders SET {name} = $1", value)
    [folder] = (await api.ana.get(f"/mailboxes/{api.support}/account/plan", AccountPlan)).folders
    assert folder.state == state
    if state == "refused":
        assert folder.refused is not None
        assert folder.refused.since == datetime(2026, 11, 22, 9, tzinfo=UTC)
        assert folder.refused.again_at == datetime(2026, 11, 23, 14, 7, tzinfo=UTC)
        assert (folder.refused.reason, folder.refused.remedy) == ("No.", "Ask.")


async def test_only_those_who_may_change_the_mailbox_see_and_set_it(api: Api) -> None:
    await Arriving.into(api.support)
    requests = [
        ("GET", "plan", None),
        ("PUT", "plan", SetPlan(history="week")),
        ("POST", "pause", None),
        ("POST", "resume", None),
    ]
    for who, status in ((api.jonas, 403), (api.mallory, 404), (api.stranger(), 401)):
        for method, name, body in requests:
            refusal = await who.refused(method, f"/mailboxes/{api.support}/account/{name}", body)
            assert refusal.status == status, (method, name)


async def test_no_worker_takes_an_account_that_is_paused(api: Api) -> None:
    await Arriving.into(api.support)
    await execute("UPDATE mail_accounts SET lease_until = now() - interval '1 minute', credentials = 'unreadable'")
    await api.ana.post(f"/mailboxes/{api.support}/account/pause", None, AccountSettings)
    watchers = Watchers()
    await watchers.start()
    await asyncio.sleep(0.3)
    await watchers.stop()
    assert await fetch_value("SELECT lease_holder FROM mail_accounts") == ""
