"""Mail of Tandem's own: an installation that can send it, and the worker's part in that."""

import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import msgspec
import pytest

from backend.database.connection import fetch
from backend.settings import settings
from backend.workers.system_mail import system_mail_for
from tests.servers.api import Api, environment
from tests.servers.smtp import Accepted, RecordingSmtp


@pytest.fixture
async def mailing(api: Api, smtp: RecordingSmtp, tmp_path: Path) -> AsyncIterator[Api]:
    """The application with a mail server of its own, at this machine."""
    url = f"smtp://tandem%40northwind.example:{smtp.password}@127.0.0.1:{smtp.port}"
    with environment(tmp_path, TANDEM_SMTP_URL=url, TANDEM_ALLOW_PRIVATE_SERVERS="yes"):
        api.application.state.settings = settings()
        yield api


async def run_system_mail() -> int:
    """What the worker does with the system mail that waits; answers how many there were."""
    jobs = await fetch("DELETE FROM pgqueuer WHERE entrypoint = 'system_mail' RETURNING id, payload")
    handler = system_mail_for(settings())
    for job in sorted(jobs, key=lambda job: job["id"]):
        await handler(**msgspec.json.decode(job["payload"]))
    return len(jobs)


def read(accepted: Accepted) -> EmailMessage:
    mail = message_from_bytes(accepted.raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def plain_text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content()


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"http\S+", plain_text(mail))
    assert found is not None
    return found[0]
