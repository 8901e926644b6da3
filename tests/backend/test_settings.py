"""Settings: what is read, and that everything wrong is refused by name."""

import re
from pathlib import Path

import pytest

from backend.settings import VARIABLES, SettingsError, read_settings

PROJECT = Path(__file__).resolve().parents[2]
DATA = {"TANDEM_DATA": "/srv/tandem"}


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(DATA | variables)
    return str(refused.value)


def test_an_empty_environment_is_a_single_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(DATA)
    assert settings.database_url is None
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.allowed_origins == ("http://127.0.0.1:8000", "http://localhost:8000")
    assert settings.blob_url == "file:///srv/tandem/blobs"
    assert settings.smtp is None
    assert settings.network
    assert not settings.allow_private_servers


def test_the_data_folder_of_an_ordinary_user_is_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert read_settings({"XDG_DATA_HOME": "/home/ana/data"}).data_folder == Path("/home/ana/data/tandem")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert read_settings({}).data_folder == Path("/var/lib/tandem")


def test_a_server_for_others() -> None:
    settings = read_settings(
        DATA
        | {
            "TANDEM_HOST": "0.0.0.0",
            "TANDEM_PUBLIC_URL": "https://Mail.example.org/",
            "TANDEM_ALLOWED_ORIGINS": "https://desk.example.org, https://crm.example.org/",
        }
    )
    assert settings.public_url == "https://mail.example.org"
    assert settings.allowed_origins == (
        "https://mail.example.org",
        "https://desk.example.org",
        "https://crm.example.org",
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://ana%40example.org:p%2Fw@mail.example.org", ("mail.example.org", 587, False, "ana@example.org", "p/w")),
        ("smtps://u:p@mail.example.org", ("mail.example.org", 465, True, "u", "p")),
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, False, None, None)),
    ],
)
def test_the_server_for_our_own_mail(url: str, expected: tuple[object, ...]) -> None:
    server = read_settings(DATA | {"TANDEM_SMTP_URL": url, "TANDEM_SMTP_FROM": "desk@example.org"}).smtp
    assert server is not None
    assert (server.host, server.port, server.implicit_tls, server.username, server.password) == expected
    assert server.sender == "desk@example.org"


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("", None),
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_the_name_server_that_is_asked(given: str, place: tuple[str, int] | None) -> None:
    assert read_settings(DATA | {"TANDEM_DNS_SERVER": given}).dns_server == place


def test_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ab" * 32 + "\n")
    (tmp_path / "url").write_text("postgresql://u:p@db.example.org/tandem\n")
    settings = read_settings(
        DATA | {"TANDEM_SECRET_KEY_FILE": f"{tmp_path}/key", "TANDEM_DATABASE_URL_FILE": f"{tmp_path}/url"}
    )
    assert settings.secret_key == bytes.fromhex("ab" * 32)
    assert settings.database_url == "postgresql://u:p@db.example.org/tandem"


def test_secrets_are_not_printed() -> None:
    settings = read_settings(
        DATA
        | {
            "TANDEM_SECRET_KEY": "cd" * 32,
            "TANDEM_DATABASE_URL": "postgresql://u:hidden@db.example.org/tandem",
            "TANDEM_SMTP_URL": "smtp://u:hidden@mail.example.org",
            "TANDEM_SMTP_FROM": "desk@example.org",
            "TANDEM_BLOB_URL": "s3://hidden@bucket",
        }
    )
    assert "hidden" not in repr(settings)
    assert repr(bytes.fromhex("cd" * 32)) not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TANDEM_DATA", "relative/folder"),
        ("TANDEM_DATABASE_URL", "mysql://db.example.org/tandem"),
        ("TANDEM_PORT", "http"),
        ("TANDEM_PORT", "0"),
        ("TANDEM_PORT", "65536"),
        ("TANDEM_PORT", "-1"),
        ("TANDEM_PORT", "８０"),
        ("TANDEM_PUBLIC_URL", "mail.example.org"),
        ("TANDEM_PUBLIC_URL", "https://mail.example.org/desk"),
        ("TANDEM_PUBLIC_URL", "https://[broken"),
        ("TANDEM_ALLOWED_ORIGINS", "https://ok.example.org, javascript:alert(1)"),
        ("TANDEM_SECRET_KEY", "too short"),
        ("TANDEM_SECRET_KEY", "ab" * 31),
        ("TANDEM_SMTP_URL", "mail.example.org"),
        ("TANDEM_SMTP_URL", "smtp://mail.example.org:99999"),
        ("TANDEM_NETWORK", "perhaps"),
        ("TANDEM_DNS_SERVER", "dns.example.org"),
        ("TANDEM_DNS_SERVER", "192.0.2.53:dns"),
        ("TANDEM_DNS_SERVER", "192.0.2.53:0"),
        ("TANDEM_DNS_SERVER", "[2001:db8::53"),
        ("TANDEM_ALLOW_PRIVATE_SERVERS", "2"),
        ("TANDEM_LOG_LEVEL", "loud"),
        ("TANDEM_SECRET_KEY_FILE", "/nonexistent/key"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    said = refusal(**{name: value})
    assert name in said
    assert said.endswith((".", ")", "first."))


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    assert "Did you mean TANDEM_PORT?" in refusal(TANDEM_PROT="9000")
    assert "TANDEM_PORT_FILE is not a setting" in refusal(TANDEM_PORT_FILE="/x")


def test_a_value_and_a_file_together_are_refused(tmp_path: Path) -> None:
    assert "TANDEM_SECRET_KEY_FILE" in refusal(TANDEM_SECRET_KEY="ab" * 32, TANDEM_SECRET_KEY_FILE="/x")


def test_listening_to_others_takes_a_public_address() -> None:
    assert "TANDEM_PUBLIC_URL" in refusal(TANDEM_HOST="0.0.0.0")


def test_our_own_mail_takes_a_sender() -> None:
    assert "TANDEM_SMTP_FROM" in refusal(TANDEM_SMTP_URL="smtp://u:p@mail.example.org")


def test_signing_in_at_a_provider_takes_a_client_and_safe_addresses() -> None:
    assert read_settings({}).oauth == {}
    given = {"TANDEM_OAUTH_GOOGLE_CLIENT_ID": "us", "TANDEM_OAUTH_GOOGLE_CLIENT_SECRET": "hush-hush"}
    settings = read_settings(given)
    assert set(settings.oauth) == {"google"} and settings.oauth["google"].client_id == "us"
    assert "hush-hush" not in repr(settings)
    assert "CLIENT_ID is not" in refusal(TANDEM_OAUTH_MICROSOFT_CLIENT_SECRET="hush-hush")
    for address in ("http://tokens.example/", "ftp://tokens.example/", "https://", "tokens"):
        assert "https://" in refusal(**given, TANDEM_OAUTH_GOOGLE_TOKEN_URL=address)
    assert read_settings(given | {"TANDEM_OAUTH_GOOGLE_TOKEN_URL": "http://127.0.0.1:8080/token"}).oauth["google"]


def table_of_settings() -> dict[str, bool]:
    rows = re.findall(
        r"^\| `(TANDEM_\w+)` \| (yes|no) \| .+ \| .+ \|$", (PROJECT / "docs" / "settings.md").read_text(), re.M
    )
    return {name: by_file == "yes" for name, by_file in rows}


def test_the_table_for_people_holds_every_setting() -> None:
    assert table_of_settings() == {variable.name: variable.secret for variable in VARIABLES}


def test_no_other_variable_is_read_anywhere() -> None:
    known = {variable.name for variable in VARIABLES}
    known |= {f"{variable.name}_FILE" for variable in VARIABLES if variable.secret}
    for folder in ("backend", "frontend", "sync"):
        for file in (PROJECT / folder).rglob("*.py"):
            named = set(re.findall(r"\bTANDEM_[A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8")))
            assert named <= known, f"{file} names {sorted(named - known)}"
