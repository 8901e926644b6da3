"""`tandem up`: the whole product on one machine, under one supervisor."""

import asyncio
import http.client
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from backend.database.embedded import EmbeddedPostgres
from backend.database.schema import is_current
from backend.processes import StopSignals, Supervisor
from backend.secret_key import secret_key
from backend.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

HEALTH = "/api/v1/health"


def tandem_command(*arguments: str) -> list[str]:
    """The command line of `tandem` with this Python, wherever its script may be."""
    return [sys.executable, "-m", "backend.cli", *arguments]


def up(settings: Settings, further: Sequence[tuple[str, Sequence[str]]], ready: Callable[[str], None]) -> int:
    """Run database, web and worker (and the named commands of `further`) until a stop signal.

    `ready` is called with the address once Tandem answers. Returns the exit status. Nothing that was started
    is left when this returns, nor when the process is killed.
    """
    with StopSignals() as signals, ExitStack() as cleanup:
        server = EmbeddedPostgres(settings.data_folder) if settings.database_url is None else None
        dsn = settings.database_url or ""
        if server is not None:
            cleanup.callback(server.stop)
            dsn = server.start()
        check_port_is_free(settings)
        secret_key(settings)
        environment = {name: value for name, value in os.environ.items() if name != "TANDEM_DATABASE_URL_FILE"}
        environment |= {"TANDEM_DATA": str(settings.data_folder), "TANDEM_DATABASE_URL": dsn}
        supervisor = Supervisor(environment, signals)
        cleanup.callback(supervisor.stop)
        if signals.received is None and not asyncio.run(is_current(dsn)):
            status = supervisor.run(tandem_command("migrate"))
            if signals.received is None and status != 0:
                return status
        if signals.received is None:
            supervisor.add("web", tandem_command("web"))
            supervisor.add("worker", tandem_command("worker"))
            for name, arguments in further:
                supervisor.add(name, arguments)
        announcement = _Announcement(settings, ready)

        def each_round() -> float:
            if server is not None:
                server.restart_if_ended()
            return announcement()

        return supervisor.watch(each_round)


class _Announcement:
    """Asks for the web process' health ten times a second until it answers, and says so once."""

    def __init__(self, settings: Settings, ready: Callable[[str], None]) -> None:
        self._settings = settings
        self._ready = ready
        self._said = False

    def __call__(self) -> float:
        if not self._said and is_healthy(self._settings):
            self._said = True
            self._ready(self._settings.public_url)
        return 60.0 if self._said else 0.1


def is_healthy(settings: Settings) -> bool:
    """Whether the web process of this machine answers, and says that it is well."""
    connection = http.client.HTTPConnection(reachable_host(settings.host), settings.port, timeout=2.0)
    try:
        connection.request("GET", HEALTH)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable_host(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def check_port_is_free(settings: Settings) -> None:
    """Raise `SettingsError` when the web process could not listen."""
    try:
        with socket.create_server(
            (settings.host, settings.port), family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        ):
            return
    except OSError as fault:
        raise SettingsError(
            f"Tandem cannot listen on {settings.host}, port {settings.port} ({fault.strerror}). Stop the "
            "program that uses the port, or set TANDEM_PORT (and TANDEM_HOST) to others."
        ) from fault
