"""The `tandem` command. Each command is a few lines here; what it does stands in a module of its own."""

import argparse
import asyncio
import contextlib
import getpass
import logging
import os
import secrets
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from backend.database.embedded import EmbeddedPostgres, EmbeddedServerError, running_dsn
from backend.database.postgres_binaries import PostgresMissing
from backend.processes import WRONG_SETTINGS
from backend.settings import Settings, SettingsError, read_settings


class DiscreetFormatter(logging.Formatter):
    """Of a fault its kinds and places, without their texts: that of a database error may quote a mail."""

    def formatException(self, ei: Any) -> str:
        told = traceback.TracebackException(*ei, lookup_lines=False)
        each: traceback.TracebackException | None = told
        parts: list[str] = []
        while each is not None:
            kind = each.exc_type.__name__ if each.exc_type is not None else "fault"
            parts.append(f"{''.join(each.stack.format())}{kind}")
            each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        return "\ncaused by:\n".join(parts)


class CommandError(Exception):
    """The command cannot do what was asked. The text says why, and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status: 0, 1 for a fault, 2 for wrong usage, 78 for wrong settings."""
    chosen = _parser().parse_args(arguments)
    command: Callable[[Settings, argparse.Namespace], int] = chosen.command
    try:
        settings = read_settings(os.environ)
        lines = logging.StreamHandler()
        lines.setFormatter(DiscreetFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=settings.log_level.upper(), handlers=[lines])
        return command(settings, chosen)
    except (SettingsError, EmbeddedServerError, PostgresMissing) as fault:
        print(f"tandem: {fault}", file=sys.stderr)
        return WRONG_SETTINGS
    except CommandError as fault:
        print(f"tandem: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tandem", description="A team inbox. Settings come from the environment: docs/settings.md."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[Settings, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(command=command)
        return one

    add("up", _up, "Run everything on this machine: database, web and worker.")
    add("demo", _demo, "Run everything with a living demo and its own mail servers.")
    add("web", _web, "Run one web process.")
    add("worker", _worker, "Run one worker.")
    add("migrate", _migrate, "Bring the database to this release's schema.")
    add("doctor", _doctor, "Check everything Tandem needs, and say how to mend it.")
    backup = add("backup", _backup, "Write the database and all stored files into one file.")
    backup.add_argument("file", type=Path)
    backup.add_argument("--with-key", action="store_true", help="put the secret key into the file as well")
    restore = add("restore", _restore, "Bring back what `tandem backup` wrote.")
    restore.add_argument("file", type=Path)
    restore.add_argument("--force", action="store_true", help="replace what is there")
    bring = add("import", _import, "Bring mail from mbox files, Maildirs and .eml files into a mailbox.")
    bring.add_argument("mailbox", help="its address")
    bring.add_argument("path", type=Path, nargs="+", help="a file, or a folder of them")
    count = add("census", _census, "Report how complete the folders of a mail account are here.")
    count.add_argument("account", help="its address")
    count.add_argument("--now", action="store_true", help="let the worker count anew first")
    reset = add("reset-password", _reset_password, "Give a person a new password, which is printed.")
    reset.add_argument("email")
    return parser


def _up(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.up import up

    return up(settings, (), lambda address: print(f"Tandem is ready: {address}/", flush=True))


def _demo(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.demo.main import demo

    return demo(settings)


def _web(settings: Settings, chosen: argparse.Namespace) -> int:
    _use_reachable_database(settings)
    from backend.web import serve

    serve(settings)
    return 0


def _worker(settings: Settings, chosen: argparse.Namespace) -> int:
    _use_reachable_database(settings)
    from backend.workers.main import run

    run()
    return 0


def _migrate(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.database.migrate import migrate

    with database(settings) as dsn:
        asyncio.run(migrate(dsn))
    return 0


def _doctor(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.doctor import examine

    return examine(settings)


def _backup(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.backup import BackupError, back_up

    try:
        with database(settings) as dsn:
            back_up(settings, dsn, chosen.file.absolute(), with_key=chosen.with_key)
    except BackupError as fault:
        raise CommandError(str(fault)) from fault
    return 0


def _restore(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.backup import BackupError, restore

    try:
        with database(settings) as dsn:
            restore(settings, dsn, chosen.file.absolute(), force=chosen.force)
    except BackupError as fault:
        raise CommandError(str(fault)) from fault
    return 0


def _import(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.importing import ImportFailed, import_files

    try:
        with database(settings) as dsn:
            return import_files(dsn, chosen.mailbox, [path.absolute() for path in chosen.path])
    except ImportFailed as fault:
        raise CommandError(str(fault)) from fault


def _census(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.census import NoSuchAccount, census

    try:
        with database(settings) as dsn:
            return census(dsn, chosen.account, now=chosen.now)
    except NoSuchAccount as fault:
        raise CommandError(str(fault)) from fault


def _reset_password(settings: Settings, chosen: argparse.Namespace) -> int:
    from backend.database.connection import connect, disconnect
    from backend.database.migrate import migrate
    from backend.errors import TandemError
    from backend.people.actions.passwords import reset_password

    typed = getpass.getpass("New password (empty: one is made): ") if sys.stdin.isatty() else ""
    password = typed or secrets.token_urlsafe(12)

    async def reset(dsn: str) -> None:
        await migrate(dsn)
        await connect(dsn, pool_size=1)
        try:
            await reset_password(chosen.email, password)
        finally:
            await disconnect()

    try:
        with database(settings) as dsn:
            asyncio.run(reset(dsn))
    except TandemError as refused:
        raise CommandError(f"{refused.message} {refused.remedy}".strip()) from refused
    if not typed:
        print(f"The new password of {chosen.email} is: {password}")
    print("They are signed out everywhere.")
    return 0


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The configured database, that of the Tandem running here, or a server for this command: its DSN."""
    dsn = settings.database_url or running_dsn(settings.data_folder)
    with contextlib.ExitStack() as cleanup:
        if dsn is None:
            dsn = cleanup.enter_context(EmbeddedPostgres(settings.data_folder)).dsn
        os.environ["TANDEM_DATABASE_URL"] = dsn
        os.environ.pop("TANDEM_DATABASE_URL_FILE", None)
        yield dsn


def _use_reachable_database(settings: Settings) -> None:
    """Let a single process find the database of a running `tandem up`."""
    if settings.database_url is not None:
        return
    dsn = running_dsn(settings.data_folder)
    if dsn is None:
        raise SettingsError(
            "There is no database: TANDEM_DATABASE_URL is not set, and no `tandem up` runs on the data "
            f"folder {settings.data_folder}. Set the variable, or run `tandem up`, which does all of it."
        )
    os.environ["TANDEM_DATABASE_URL"] = dsn


if __name__ == "__main__":
    sys.exit(main())
