"""The digest by mail: what one has not seen, once, and only what one may see."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.conversations.contracts import SetVisibility
from backend.database.connection import execute, fetch, fetch_row
from backend.notifications.digest import enqueue_due, is_due
from backend.people.contracts import Me, UpdateProfile
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail
from tests.servers.smtp import RecordingSmtp
from tests.servers.system_mail import plain_text, read, run_system_mail


async def want(member: Member, digest: str) -> Me:
    """Choose, and let the last one be an hour and a day ago."""
    me = await member.put("/me/digest", {"digest": digest}, Me)
    await execute("UPDATE users SET digested_at = now() - interval '25 hours' WHERE id = $1", member.user_id)
    return me


async def mention_jonas(api: Api, subject: str = "Brake recall") -> int:
    conversation_id = await deliver(api.support, write_mail(subject=subject))
    comment = {"text": "Look, Jonas", "mention_ids": [api.jonas.user_id]}
    await api.ana.post(f"/conversations/{conversation_id}/comments", comment)
    return conversation_id


async def post(api: Api, smtp: RecordingSmtp) -> list[str]:
    """What the round and the worker send to Jonas now."""
    before = len(smtp.messages)
    await enqueue_due(datetime.now(UTC))
    await run_system_mail()
    sent = smtp.messages[before:]
    assert all(each.recipients == (api.jonas.email,) for each in sent)
    return [plain_text(read(each)) for each in sent]


async def test_who_wants_one_reads_what_they_have_not_seen_once(mailing: Api, smtp: RecordingSmtp) -> None:
    assert (await want(mailing.jonas, "hourly")).digest == "hourly"
    await mention_jonas(mailing)
    [text] = await post(mailing, smtp)
    assert "- Ana Ribeiro mentioned you: Brake recall · Support" in text
    assert "http://tandem.example/settings/notifications/" in text
    assert await post(mailing, smtp) == []


async def test_nobody_gets_one_who_did_not_ask_for_it(mailing: Api, smtp: RecordingSmtp) -> None:
    await mention_jonas(mailing)
    assert await post(mailing, smtp) == []
    await want(mailing.jonas, "daily")
    await want(mailing.jonas, "off")
    assert await post(mailing, smtp) == []


async def test_what_was_read_or_what_is_nothing_makes_no_mail(mailing: Api, smtp: RecordingSmtp) -> None:
    await want(mailing.jonas, "hourly")
    await mention_jonas(mailing)
    await mailing.jonas.post("/notifications/read", {})
    assert await post(mailing, smtp) == []


async def test_what_one_does_not_see_any_more_is_not_told(mailing: Api, smtp: RecordingSmtp) -> None:
    await want(mailing.jonas, "hourly")
    await mention_jonas(mailing)
    await mailing.ana.put(
        f"/mailboxes/{mailing.support}/members", {"member_ids": [mailing.ana.user_id], "team_ids": []}
    )
    assert await post(mailing, smtp) == []


async def test_a_private_conversation_is_not_named(mailing: Api, smtp: RecordingSmtp) -> None:
    await want(mailing.jonas, "hourly")
    conversation_id = await mention_jonas(mailing, "Salaries")
    await mailing.ana.put(f"/conversations/{conversation_id}/visibility", SetVisibility(visibility="private"))
    [text] = await post(mailing, smtp)
    assert "Salaries" not in text
    assert "Something new in a private conversation" in text


@pytest.mark.parametrize(
    ("zone", "last", "now", "due"),
    [
        ("Europe/Lisbon", "2026-11-29T08:01", "2026-11-30T07:59", False),
        ("Europe/Lisbon", "2026-11-29T08:01", "2026-11-30T08:00", True),
        ("Europe/Berlin", "2026-11-29T08:01", "2026-11-30T07:00", True),  # eight o'clock there
        ("America/New_York", "2026-11-29T14:00", "2026-11-30T12:59", False),
        ("America/New_York", "2026-11-29T14:00", "2026-11-30T13:00", True),
    ],
)
async def test_daily_is_at_eight_on_ones_own_clock(api: Api, zone: str, last: str, now: str, due: bool) -> None:
    await api.jonas.patch("/me", UpdateProfile(time_zone=zone))
    await api.jonas.put("/me/digest", {"digest": "daily"})
    await execute(
        "UPDATE users SET digested_at = $2 WHERE id = $1",
        api.jonas.user_id,
        datetime.fromisoformat(last).replace(tzinfo=UTC),
    )
    record = await fetch_row("SELECT * FROM users WHERE id = $1", api.jonas.user_id)
    assert record is not None
    assert is_due(record, datetime.fromisoformat(now).replace(tzinfo=UTC)) is due


async def test_a_digest_is_asked_for_once_while_it_waits(mailing: Api) -> None:
    await want(mailing.jonas, "hourly")
    for _ in range(3):
        await enqueue_due(datetime.now(UTC) + timedelta(minutes=1))
    assert len(await fetch("SELECT 1 FROM pgqueuer WHERE entrypoint = 'system_mail'")) == 1
