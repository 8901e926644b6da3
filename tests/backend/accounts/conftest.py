"""A worker that tries servers, and what a person types to connect Support to the servers of a test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from backend.accounts.contracts import ConnectAccount, Security, ServerAddress
from backend.jobs import job_queue, register
from backend.workers.check_servers import check_servers
from tests.servers.api import Api
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp


def server(port: int, security: Security = "none", host: str = "127.0.0.1") -> ServerAddress:
    return ServerAddress(host=host, port=port, security=security)


@pytest.fixture
async def worker(api: Api) -> AsyncIterator[None]:
    """A worker's job queue, in this process."""
    queue = job_queue()
    register(queue, "check_servers", check_servers)
    running = asyncio.create_task(queue.run(dequeue_timeout=timedelta(milliseconds=100)))
    yield
    queue.shutdown.set()
    await running


@pytest.fixture
def typed(dovecot: Dovecot, smtp: RecordingSmtp, mail_user: str) -> Callable[..., ConnectAccount]:
    """What a person types, right in every field except for those given."""

    def make(**fields: Any) -> ConnectAccount:
        right = ConnectAccount(
            address="support@northwind.example",
            username=mail_user,
            password=dovecot.password,
            imap=server(dovecot.imap_port),
            smtp=server(smtp.port),
        )
        return msgspec.structs.replace(right, **fields)

    return make
