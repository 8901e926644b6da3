"""The customers' half of the demo's life, against the real mail servers."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from backend.demo.corpus import corpus
from backend.demo.customers import Customers
from backend.demo.living import Life, pace_from_environment
from backend.demo.memory import Memory
from backend.demo.people import MAILBOXES, PASSWORD
from backend.demo.postman import Postman
from tests.backend.demo.mail_servers import MailServers, mail_servers


class NobodyElse:
    """No teammates: this half needs no Tandem."""

    async def work(self) -> str | None:
        raise ConnectionError("Tandem is not there, which must disturb nobody")


def subjects(servers: MailServers, account: str) -> list[str]:
    client = servers.imap(account)
    client.select("INBOX", readonly=True)
    uids = client.uid("SEARCH", "ALL")[1][0].split()[-10:]
    answer = client.uid("FETCH", b",".join(uids).decode(), "(BODY.PEEK[HEADER.FIELDS (SUBJECT IN-REPLY-TO)])")[1]
    client.logout()
    return [part[1].decode() for part in answer if isinstance(part, tuple)]


@pytest.fixture
async def servers(data_with_history: Path, tmp_path: Path) -> AsyncIterator[MailServers]:
    with mail_servers(data_with_history) as running:
        memory = Memory(tmp_path / "living.json")
        world = Customers(corpus(), memory, random.Random(5))
        life = Life(world, NobodyElse(), Postman(running.imap_port, running.smtp_port), pace=0.3)
        task = asyncio.create_task(life.run())
        yield running
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: "asyncio.Future[bool] | object", seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):  # type: ignore[arg-type]
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.2)


async def test_a_customer_answers_a_mail_sent_to_them(servers: MailServers) -> None:
    conversation = next(each for each in corpus() if each.id == "billing-live-01")
    message = EmailMessage(policy=SMTP)
    message["From"] = "Samuel Okafor <billing@northwind.example>"
    message["To"] = conversation.customer.address
    message["Subject"] = f"Re: {conversation.subject}"
    message["Message-ID"] = "<sent-by-samuel@northwind.example>"
    message.set_content("Here it is.\n")

    def send() -> None:
        client = servers.smtp()
        client.login("billing@northwind.example", PASSWORD)
        client.send_message(message)
        client.quit()

    await asyncio.to_thread(send)
    account = MAILBOXES["billing"].address
    await until(lambda: any("<sent-by-samuel@northwind.example>" in each for each in subjects(servers, account)))


async def test_customers_write_by_themselves(servers: MailServers) -> None:
    first = next(each for each in corpus() if each.id == "support-live-23")
    await until(lambda: any(first.subject in each for each in subjects(servers, "support@northwind.example")))
    second = next(each for each in corpus() if each.id == "sales-live-15")
    await until(lambda: any(second.subject in each for each in subjects(servers, "sales@northwind.example")))


def test_a_wrong_pace_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_DEMO_PACE", "0")
    with pytest.raises(ValueError, match="TANDEM_DEMO_PACE"):
        pace_from_environment()
