"""What admins look after: jobs that gave up, and the audit log."""

from __future__ import annotations

import asyncpg
import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_a_failed_job_is_tried_again(office: Office, seats: Seats) -> None:
    database = await asyncpg.connect(office.product.dsn)
    try:
        # The worker cannot make sense of this one, and gives it up at once.
        await database.execute(
            "INSERT INTO pgqueuer (priority, status, entrypoint, payload) VALUES (0, 'queued', 'settle_unknown', $1)",
            b'{"outgoing_id": 0}',
        )
        seat = await seats.at(office.product, office.ana)
        page = await seat.open("/settings/failed-jobs/")
        job = page.get_by_role("listitem").filter(has_text="Finding out whether a mail was sent")
        for _ in range(20):
            if await job.count():
                break
            await page.wait_for_timeout(500)
            await page.reload()
        await expect(job).to_contain_text("An unexpected fault (TypeError).")
        await expect(job).to_contain_text("outgoing 0")
        # Mended, it asks about a mail that is gone: there is nothing to do.
        await database.execute(
            "UPDATE pgqueuer SET payload = $1 WHERE status = 'failed' AND entrypoint = 'settle_unknown'",
            b'{"outgoing_id": 0, "look": 0}',
        )
        await job.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("Nothing has failed")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("Nothing has failed")).to_be_visible()
        assert seat.complaints == []
    finally:
        await database.close()


async def test_the_audit_log_tells_who_did_what(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open("/settings/audit/")
    entry = page.get_by_role("listitem").filter(has_text="connected the account of Support")
    await expect(entry).to_contain_text("Ana Ribeiro")
    await entry.get_by_text("Details").click()
    await expect(entry.get_by_text("address: support@northwind.example")).to_be_visible()
    joined = page.get_by_text("Jonas Dahl joined by invitation")
    await expect(joined).to_be_visible()
    form = page.get_by_role("form", name="Filter")
    await form.get_by_label("About").select_option("Mail accounts")
    await form.get_by_role("button", name="Show").click()
    await expect(joined).to_have_count(0)
    await expect(entry).to_be_visible()
    await form.get_by_label("Person").select_option("Jonas Dahl")
    await form.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("Nothing fits")).to_be_visible()
    assert seat.complaints == []


async def test_members_see_neither(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.jonas)).open("/settings/audit/")
    await expect(page.get_by_text("Only admins change these settings.")).to_be_visible()
    await expect(page.get_by_role("link", name="Failed jobs")).to_have_count(0)
