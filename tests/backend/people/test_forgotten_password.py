"""A forgotten password comes back by mail: real SMTP, a job, and a link that works once."""

import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import msgspec
import pytest

from backend.database.connection import execute, fetch, fetch_value
from backend.jobs import TryAgain
from backend.people.contracts import CreateInvitation, InvitationCreated, PasswordLink, ResetPassword, UpdatePerson
from backend.settings import settings
from backend.workers.system_mail import CannotMail, system_mail_for
from tests.servers.api import PASSWORD, Api, environment, token_in
from tests.servers.smtp import RecordingSmtp

NEW_PASSWORD = "another long sentence"


@pytest.fixture
async def mailing(api: Api, smtp: RecordingSmtp, tmp_path: Path) -> AsyncIterator[Api]:
    """The application with a mail server of its own."""
    url = f"smtp://tandem%40northwind.example:{smtp.password}@127.0.0.1:{smtp.port}"
    with environment(tmp_path, TANDEM_SMTP_URL=url):
        api.application.state.settings = settings()
        yield api


async def run_jobs() -> int:
    """What the worker does with the jobs that wait; answers how many there were."""
    jobs = await fetch("DELETE FROM pgqueuer WHERE entrypoint = 'system_mail' RETURNING id, payload")
    handler = system_mail_for(settings())
    for job in sorted(jobs, key=lambda job: job["id"]):
        await handler(**msgspec.json.decode(job["payload"]))
    return len(jobs)


def newest_mail(smtp: RecordingSmtp) -> EmailMessage:
    mail = message_from_bytes(smtp.messages[-1].raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(smtp: RecordingSmtp) -> str:
    return newest_mail(smtp).get_content()


def link_in(smtp: RecordingSmtp) -> str:
    found = re.search(r"http\S+", text_of(smtp))
    assert found is not None
    return found[0]


async def forget(api: Api, email: str) -> None:
    await api.stranger().post("/password/forgot", {"email": email})


async def test_without_a_mail_server_one_is_sent_to_an_admin(api: Api) -> None:
    assert (await api.stranger().get("/set-up"))["can_mail_passwords"] is False
    refusal = await api.stranger().refused("POST", "/password/forgot", {"email": api.jonas.email})
    assert (refusal.status, refusal.remedy) == (409, "Ask an admin of your organisation.")


async def test_the_link_gives_a_new_password_once(mailing: Api, smtp: RecordingSmtp) -> None:
    assert (await mailing.stranger().get("/set-up"))["can_mail_passwords"] is True
    await forget(mailing, "Jonas@northwind.example")
    assert await run_jobs() == 1
    mail = newest_mail(smtp)
    assert (mail["to"], mail["from"]) == ("Jonas <jonas@northwind.example>", "Tandem <tandem@northwind.example>")
    assert mail["auto-submitted"] == "auto-generated"
    link = link_in(smtp)
    assert link.startswith("http://tandem.example/reset-password/#token=")
    reset = ResetPassword(token=token_in(link), password=NEW_PASSWORD)
    await mailing.stranger().post("/password/reset", reset)
    assert (await mailing.jonas.refused("GET", "/me")).status == 401
    await mailing.stranger().sign_in(mailing.jonas.email, NEW_PASSWORD)
    assert (await mailing.stranger().refused("POST", "/password/reset", reset)).status == 404


async def test_an_address_of_nobody_gets_the_same_answer_and_no_mail(mailing: Api, smtp: RecordingSmtp) -> None:
    await mailing.ana.patch(f"/people/{mailing.tom.user_id}", UpdatePerson(active=False))
    for email in ("nobody@northwind.example", mailing.tom.email):
        await forget(mailing, email)
    assert await run_jobs() == 2
    assert smtp.messages == []


async def test_no_secret_and_no_address_stands_in_the_queue(mailing: Api, smtp: RecordingSmtp) -> None:
    await forget(mailing, mailing.jonas.email)
    payload = await fetch_value("SELECT convert_from(payload, 'UTF8') FROM pgqueuer WHERE entrypoint = 'system_mail'")
    assert set(msgspec.json.decode(payload)) == {"kind", "id"}
    assert await fetch("SELECT 1 FROM password_resets") == []
    await run_jobs()
    stored = await fetch_value("SELECT string_agg(token_hash, ' ') FROM password_resets")
    assert token_in(link_in(smtp)) not in stored


async def test_a_link_lasts_an_hour(mailing: Api, smtp: RecordingSmtp) -> None:
    await forget(mailing, mailing.jonas.email)
    await run_jobs()
    assert await fetch_value(
        "SELECT expires_at BETWEEN now() + interval '59 minutes' AND now() + interval '61 minutes' FROM password_resets"
    )
    await execute("UPDATE password_resets SET expires_at = now() - interval '1 second'")
    late = ResetPassword(token=token_in(link_in(smtp)), password=NEW_PASSWORD)
    assert (await mailing.stranger().refused("POST", "/password/reset", late)).status == 404
    await mailing.stranger().sign_in(mailing.jonas.email, PASSWORD)


async def test_nobody_is_flooded(mailing: Api) -> None:
    for _ in range(3):
        await forget(mailing, mailing.jonas.email)
    refusal = await mailing.stranger().refused("POST", "/password/forgot", {"email": mailing.jonas.email})
    assert refusal.status == 429


async def test_a_server_that_is_busy_is_tried_again_with_a_new_secret(mailing: Api, smtp: RecordingSmtp) -> None:
    smtp.misbehave("rcpt", reply="451 4.3.0 Try later", times=1)
    await forget(mailing, mailing.jonas.email)
    job = await fetch_value("SELECT payload FROM pgqueuer WHERE entrypoint = 'system_mail'")
    with pytest.raises(TryAgain, match=r"451|Try later"):
        await run_jobs()
    assert await fetch("SELECT 1 FROM password_resets") == []
    await system_mail_for(settings())(**msgspec.json.decode(job))
    assert len(smtp.messages) == 1


async def test_a_server_that_refuses_is_an_admins_business(mailing: Api, smtp: RecordingSmtp) -> None:
    smtp.misbehave("mail", reply="550 5.7.1 Not allowed")
    await forget(mailing, mailing.jonas.email)
    with pytest.raises(CannotMail, match="Not allowed") as caught:
        await run_jobs()
    assert "token" not in str(caught.value)


async def test_an_invitation_is_mailed_too(mailing: Api, smtp: RecordingSmtp) -> None:
    created = await mailing.ana.post("/invitations", CreateInvitation(email="mei@northwind.example"), InvitationCreated)
    assert created.mailed
    await run_jobs()
    assert link_in(smtp) == created.link
    assert newest_mail(smtp)["subject"] == "Ana Ribeiro invites you to Northwind Bikes"


async def test_an_invitation_that_fell_meanwhile_is_not_mailed(mailing: Api, smtp: RecordingSmtp) -> None:
    created = await mailing.ana.post("/invitations", CreateInvitation(email="mei@northwind.example"), InvitationCreated)
    await mailing.ana.delete(f"/invitations/{created.invitation.id}")
    assert await run_jobs() == 1
    assert smtp.messages == []


async def test_an_admin_gives_a_link_by_hand(api: Api) -> None:
    given = await api.ana.post(f"/people/{api.jonas.user_id}/password-link", None, PasswordLink)
    await api.stranger().post("/password/reset", ResetPassword(token=token_in(given.link), password=NEW_PASSWORD))
    await api.stranger().sign_in(api.jonas.email, NEW_PASSWORD)
    await api.ana.patch(f"/people/{api.tom.user_id}", UpdatePerson(role="admin"))
    assert (await api.tom.refused("POST", f"/people/{api.ana.user_id}/password-link")).status == 403


async def test_a_password_that_crosses_the_network_needs_tls(api: Api, smtp: RecordingSmtp, tmp_path: Path) -> None:
    machine = "0.0.0.0"  # reaches this machine, and is none of the names that are known to
    url = f"smtp://tandem%40northwind.example:{smtp.password}@{machine}:{smtp.port}"
    with environment(tmp_path, TANDEM_SMTP_URL=url):
        api.application.state.settings = settings()
        await forget(api, api.jonas.email)
        with pytest.raises((CannotMail, TryAgain), match="TLS"):
            await run_jobs()
    assert smtp.messages == []
