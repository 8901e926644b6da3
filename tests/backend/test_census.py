"""`tandem census`: what it prints, and how it ends."""

import json
from pathlib import Path

import asyncpg

from tests.servers.tandem import tandem

ADDRESS = "support@northwind.example"


def count(stored: int, missing: int = 0) -> str:
    """What a census has noted of a folder."""
    counted = {"on_server": stored + missing, "stored": stored, "missing": missing, "set_aside": 0}
    return json.dumps(counted | {"checked_at": "2026-11-23T14:02:00Z"})


async def connect(database_url: str, **folders: str) -> None:
    """A mailbox with an account of these folders, that nobody watches."""
    connection = await asyncpg.connect(database_url)
    mailbox_id = await connection.fetchval(
        "INSERT INTO mailboxes (kind, name, address) VALUES ('group', 'Support', $1) RETURNING id", ADDRESS
    )
    account_id = await connection.fetchval(
        "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
        "smtp_port, smtp_security, smtp_username, credentials, state, connected_at, lease_holder, lease_until) "
        "VALUES ($1, $2, $2, '127.0.0.1', 1, 'none', '127.0.0.1', 1, 'none', '', '', '{}', now(), '', now()) "
        "RETURNING id",
        mailbox_id,
        ADDRESS,
    )
    for name, census in folders.items():
        await connection.execute(
            "INSERT INTO folders (account_id, name, role, title, uid_validity, backfill_done, census) "
            "VALUES ($1, $2, '', $2, 1, true, $3)",
            account_id,
            name,
            census,
        )
    await connection.close()


async def test_it_says_of_each_folder_what_is_here_and_fails_while_something_is_missing(
    tmp_path: Path, database_url: str
) -> None:
    await connect(database_url, Archive=count(12_408), Projects=count(3, missing=2))
    outcome = tandem(tmp_path, "census", ADDRESS.upper(), TANDEM_DATABASE_URL=database_url, TZ="UTC")
    lines = outcome.stdout.splitlines()
    assert "Support: support@northwind.example" in lines
    [archive] = [line for line in lines if line.startswith("Archive")]
    [projects] = [line for line in lines if line.startswith("Projects")]
    assert archive.split()[1:4] == ["12,408", "12,408", "0"]
    assert archive.endswith("Complete up to 2026-11-23 14:02.")
    assert projects.split()[1:4] == ["5", "3", "2"]
    assert projects.endswith("Not complete at 2026-11-23 14:02.")
    assert "1 of 2 folders are complete." in lines
    assert outcome.returncode == 1


async def test_it_ends_well_when_everything_is_here(tmp_path: Path, database_url: str) -> None:
    await connect(database_url, Archive=count(12_408))
    outcome = tandem(tmp_path, "census", ADDRESS, TANDEM_DATABASE_URL=database_url)
    assert "1 of 1 folders are complete." in outcome.stdout
    assert outcome.returncode == 0


async def test_an_address_without_an_account_is_said(tmp_path: Path, database_url: str) -> None:
    outcome = tandem(tmp_path, "census", "sales@northwind.example", TANDEM_DATABASE_URL=database_url)
    assert "No mailbox here is connected to an account called sales@northwind.example." in outcome.stdout
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stdout
