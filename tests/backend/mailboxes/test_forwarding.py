"""Mailboxes without a mail account: where their mail is forwarded to, whether that works, and how they send."""

from backend.database.connection import execute, fetch_value
from backend.mailboxes.contracts import CreateMailbox, Forwarding, MailboxSettings
from backend.workers.forwarding import check_forwarding
from tests.servers.api import Api
from tests.servers.sending import Desk, connect_account
from tests.servers.smtp import RecordingSmtp

INTAKE = CreateMailbox(kind="intake", name="Intake", address="intake@northwind.example")


async def forwarding(api: Api, mailbox_id: int) -> Forwarding:
    return await api.ana.get(f"/mailboxes/{mailbox_id}/forwarding", Forwarding)


async def connect_intake(api: Api, smtp: RecordingSmtp) -> int:
    intake = await api.ana.post("/mailboxes", INTAKE, MailboxSettings)
    await connect_account(intake.id, smtp)
    return intake.id


async def test_the_address_to_forward_to_comes_with_the_intake_account(api: Api, smtp: RecordingSmtp) -> None:
    assert (await forwarding(api, api.support)).forward_to == ""
    await connect_intake(api, smtp)
    assert (await forwarding(api, api.support)).forward_to == "intake+support@northwind.example"


async def test_two_mailboxes_of_one_name_have_addresses_of_their_own(api: Api, smtp: RecordingSmtp) -> None:
    await connect_intake(api, smtp)
    other = CreateMailbox(kind="group", name="Support", address="support@southwind.example")
    made = await api.ana.post("/mailboxes", other, MailboxSettings)
    assert (await forwarding(api, made.id)).forward_to == f"intake+support-{made.id}@northwind.example"
    assert (await forwarding(api, api.support)).forward_to == "intake+support@northwind.example"


async def test_a_test_mail_goes_to_the_mailbox_s_own_address(
    api: Api, smtp: RecordingSmtp, private_servers: None
) -> None:
    await connect_intake(api, smtp)
    await api.ana.post(f"/mailboxes/{api.support}/forwarding/check")
    await check_forwarding(api.support)
    [mail] = smtp.messages
    assert mail.recipients == ("support@northwind.example",)
    assert b"Auto-Submitted: auto-generated" in mail.raw
    check = (await forwarding(api, api.support)).check
    assert check is not None
    assert check.sent_at is not None
    assert (check.came_at, check.problem) == (None, "")
    await check_forwarding(api.support)
    assert len(smtp.messages) == 1


async def test_who_asks_while_a_test_mail_is_on_its_way_gets_another(
    api: Api, smtp: RecordingSmtp, private_servers: None
) -> None:
    await connect_intake(api, smtp)
    await api.ana.post(f"/mailboxes/{api.support}/forwarding/check")
    await execute("UPDATE pgqueuer SET status = 'picked' WHERE entrypoint = 'check_forwarding'")
    await api.ana.post(f"/mailboxes/{api.support}/forwarding/check")
    waiting = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'check_forwarding' AND status = 'queued'"
    assert await fetch_value(waiting) == 1


async def test_a_test_mail_that_cannot_be_sent_says_why(api: Api, smtp: RecordingSmtp, private_servers: None) -> None:
    intake_id = await connect_intake(api, smtp)
    await execute("UPDATE mail_accounts SET smtp_port = 1 WHERE mailbox_id = $1", intake_id)
    await api.ana.post(f"/mailboxes/{api.support}/forwarding/check")
    await check_forwarding(api.support)
    check = (await forwarding(api, api.support)).check
    assert check is not None
    assert check.sent_at is None
    assert "127.0.0.1" in check.problem


async def test_without_an_intake_account_there_is_nothing_to_send_from(api: Api) -> None:
    refusal = await api.ana.refused("POST", f"/mailboxes/{api.support}/forwarding/check")
    assert (refusal.status, refusal.message) == (422, "There is no intake account yet.")


async def test_a_mailbox_without_an_account_sends_through_the_intake_as_itself(desk: Desk) -> None:
    await execute("DELETE FROM mail_accounts")
    draft = await desk.new_draft()
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 422
    await connect_intake(desk.api, desk.smtp)
    outgoing = await desk.send(draft)
    assert await desk.attempt(outgoing) == "sent"
    [mail] = desk.smtp.messages
    assert mail.sender == "support@northwind.example"
    assert b"From: Support <support@northwind.example>" in mail.raw
