"""Mail servers as fixtures: plugged in by tests/conftest.py."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers.certificate import Certificate, make_certificate
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """A certificate for localhost and 127.0.0.1 that only those trust who are told to."""
    return make_certificate()


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One Dovecot for the whole run, with everything it can do; take a fresh user from `mail_user`."""
    with Dovecot() as server:
        yield server


@pytest.fixture
def mail_user() -> str:
    """A user name that no other test has: an empty account."""
    return f"user{next(_numbers)}"


@pytest.fixture
def make_dovecot() -> Iterator[Callable[..., Dovecot]]:
    """A function that starts a Dovecot with the given options (see Dovecot); stopped after the test."""
    servers: list[Dovecot] = []

    def make(**options: Any) -> Dovecot:
        server = Dovecot(**options)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def smtp() -> Iterator[RecordingSmtp]:
    """An SMTP server that wants a password and keeps what it accepts."""
    with RecordingSmtp() as server:
        yield server


@pytest.fixture
def make_smtp() -> Iterator[Callable[..., RecordingSmtp]]:
    """A function that starts an SMTP server with the given options (see RecordingSmtp); stopped after the
    test.
    """
    servers: list[RecordingSmtp] = []

    def make(**options: Any) -> RecordingSmtp:
        server = RecordingSmtp(**options)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop()
