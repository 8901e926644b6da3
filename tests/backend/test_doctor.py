"""`tandem doctor`: a line for each thing, and for every fault what to do."""

import socket
from pathlib import Path

import pytest

from backend.database.embedded import EmbeddedPostgres
from backend.doctor import CHECKS, examine
from backend.settings import read_settings
from tests.servers.smtp import RecordingSmtp
from tests.servers.tandem import tandem


@pytest.fixture
def port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return str(listening.getsockname()[1])


def report(capsys: pytest.CaptureFixture[str], data: Path, port: str, **settings: str) -> tuple[int, str]:
    status = examine(read_settings({"TANDEM_DATA": str(data), "TANDEM_PORT": port} | settings))
    return status, capsys.readouterr().out


def test_a_sound_machine(tmp_path: Path, port: str) -> None:
    """As a command: it says all is well, and makes nothing."""
    data = tmp_path / "data"
    outcome = tandem(data, "doctor", TANDEM_PORT=port)
    assert outcome.returncode == 0, outcome.stdout
    for check in CHECKS:
        assert f"ok     {check.name}: " in outcome.stdout
    assert not data.exists()


def test_the_running_database_is_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path, port: str) -> None:
    with EmbeddedPostgres(tmp_path):
        status, said = report(capsys, tmp_path, port)
    assert status == 0
    assert "PostgreSQL 18" in said
    assert "answers" in said


def test_a_database_out_of_reach(capsys: pytest.CaptureFixture[str], tmp_path: Path, port: str) -> None:
    url = f"postgresql://tandem@127.0.0.1:{port}/tandem"
    status, said = report(capsys, tmp_path, port, TANDEM_DATABASE_URL=url)
    assert status == 1
    assert "fault  Database: no connection" in said
    assert "-> Check host" in said


def test_a_taken_port(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        listening.listen()
        status, said = report(capsys, tmp_path, port)
    assert status == 1
    assert f"fault  Port: Tandem cannot listen on 127.0.0.1, port {port}" in said


def test_a_damaged_key_and_an_open_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path, port: str) -> None:
    (tmp_path / "secret.key").write_text("short")
    tmp_path.chmod(0o777)
    status, said = report(capsys, tmp_path, port)
    assert status == 1
    assert "fault  Secret key" in said
    assert "chmod 700" in said


def test_an_unencrypted_address(capsys: pytest.CaptureFixture[str], tmp_path: Path, port: str) -> None:
    status, said = report(capsys, tmp_path, port, TANDEM_HOST="0.0.0.0", TANDEM_PUBLIC_URL="http://mail.example.org")
    assert status == 1
    assert "fault  Address" in said


def test_our_own_mail_server(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, port: str, smtp: RecordingSmtp
) -> None:

    def with_password(given: str) -> tuple[int, str]:
        url = f"smtp://desk:{given}@127.0.0.1:{smtp.port}"
        return report(capsys, tmp_path, port, TANDEM_SMTP_URL=url, TANDEM_SMTP_FROM="desk@example.org")

    status, said = with_password(smtp.password)
    assert status == 0, said
    assert "takes our mail" in said
    status, said = with_password("wrong")
    assert status == 1
    assert "refuses the user name or password" in said
