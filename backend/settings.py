"""What the environment says, read once into one frozen value.

Every variable begins with ``TANDEM_`` and is declared in `VARIABLES`; docs/settings.md holds the same list
for people. A wrong or misspelt variable stops the process with a sentence that names it and says what to do.
Secrets may stand in a file: ``TANDEM_SMTP_URL_FILE=/run/secrets/smtp`` is read as ``TANDEM_SMTP_URL``.
"""

import difflib
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit


class SettingsError(Exception):
    """A setting is missing or wrong. Its text names the variable and says what to do."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: `secret` ones may be given as a file with ``_FILE`` after the name."""

    name: str
    secret: bool = False


VARIABLES = (
    Variable("TANDEM_DATA"),
    Variable("TANDEM_DATABASE_URL", secret=True),
    Variable("TANDEM_HOST"),
    Variable("TANDEM_PORT"),
    Variable("TANDEM_PUBLIC_URL"),
    Variable("TANDEM_ALLOWED_ORIGINS"),
    Variable("TANDEM_SECRET_KEY", secret=True),
    Variable("TANDEM_BLOB_URL", secret=True),
    Variable("TANDEM_ATTACHMENTS_MB"),
    Variable("TANDEM_LINKED_FILE_MB"),
    Variable("TANDEM_SMTP_URL", secret=True),
    Variable("TANDEM_SMTP_FROM"),
    Variable("TANDEM_NETWORK"),
    Variable("TANDEM_DNS_SERVER"),
    Variable("TANDEM_ALLOW_PRIVATE_SERVERS"),
    Variable("TANDEM_OAUTH_GOOGLE_CLIENT_ID"),
    Variable("TANDEM_OAUTH_GOOGLE_CLIENT_SECRET", secret=True),
    Variable("TANDEM_OAUTH_GOOGLE_AUTHORISE_URL"),
    Variable("TANDEM_OAUTH_GOOGLE_TOKEN_URL"),
    Variable("TANDEM_OAUTH_MICROSOFT_CLIENT_ID"),
    Variable("TANDEM_OAUTH_MICROSOFT_CLIENT_SECRET", secret=True),
    Variable("TANDEM_OAUTH_MICROSOFT_AUTHORISE_URL"),
    Variable("TANDEM_OAUTH_MICROSOFT_TOKEN_URL"),
    Variable("TANDEM_LOG_LEVEL"),
    # Read by `tandem demo` alone.
    Variable("TANDEM_DEMO_IMAP_PORT"),
    Variable("TANDEM_DEMO_SMTP_PORT"),
    Variable("TANDEM_DEMO_PACE"),
)

LOG_LEVELS = ("debug", "info", "warning", "error")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
OAUTH_PROVIDERS = ("google", "microsoft")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The server through which Tandem itself writes: invitations and forgotten passwords."""

    host: str
    port: int
    implicit_tls: bool
    """TLS from the first byte (smtps); otherwise STARTTLS is used where the server offers it."""
    username: str | None
    password: str | None = field(repr=False)
    sender: str
    """The From address."""


@dataclass(frozen=True, slots=True)
class OAuthRegistration:
    """This installation as a mail provider knows it. Empty addresses: the provider's own."""

    client_id: str
    client_secret: str = field(repr=False)
    authorise_url: str
    token_url: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Texts are as given, without surrounding blanks."""

    data_folder: Path
    database_url: str | None = field(repr=False)
    """None: the embedded PostgreSQL in the data folder."""
    host: str
    port: int
    public_url: str
    """The address people type, without a slash at the end."""
    allowed_origins: tuple[str, ...]
    """Origins whose pages may open our sockets; always holds the one of `public_url`."""
    secret_key: bytes | None = field(repr=False)
    """32 bytes, or None: the key file in the data folder (see backend/secret_key.py)."""
    blob_url: str = field(repr=False)
    largest_attachments: int
    """Bytes of all files of one mail together."""
    largest_linked_file: int
    """Bytes of a file that a mail links to; 0: files of one's own are not linked."""
    smtp: SmtpServer | None
    network: bool
    """Whether settings of mail servers may be looked up in the network."""
    dns_server: tuple[str, int] | None
    """The address and port of the name server that is asked; None: the machine's own."""
    allow_private_servers: bool
    """Whether a mail account may name a server at a private or loopback address."""
    oauth: Mapping[str, OAuthRegistration]
    """By provider (google, microsoft), where people can connect an account by signing in there."""
    log_level: str


@cache
def settings() -> Settings:
    """The settings of this process, read from its environment at the first call."""
    return read_settings(os.environ)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all settings from `environ`, or raise `SettingsError`."""
    _refuse_unknown(environ)
    values = {variable.name: _value(environ, variable) for variable in VARIABLES}
    data_folder = _data_folder(values["TANDEM_DATA"], environ)
    host = values["TANDEM_HOST"] or "127.0.0.1"
    port = _port(values["TANDEM_PORT"] or "8000")
    public_url = _public_url(values["TANDEM_PUBLIC_URL"], host, port)
    return Settings(
        data_folder=data_folder,
        database_url=_database_url(values["TANDEM_DATABASE_URL"]),
        host=host,
        port=port,
        public_url=public_url,
        allowed_origins=_origins(values["TANDEM_ALLOWED_ORIGINS"], public_url, host, port),
        secret_key=_secret_key(values["TANDEM_SECRET_KEY"]),
        blob_url=values["TANDEM_BLOB_URL"] or (data_folder / "blobs").as_uri(),
        largest_attachments=_megabytes("TANDEM_ATTACHMENTS_MB", values["TANDEM_ATTACHMENTS_MB"] or "25", 1, 25),
        largest_linked_file=_megabytes("TANDEM_LINKED_FILE_MB", values["TANDEM_LINKED_FILE_MB"] or "2048", 0, 10_240),
        smtp=_smtp(values["TANDEM_SMTP_URL"], values["TANDEM_SMTP_FROM"]),
        network=_yes_no("TANDEM_NETWORK", values["TANDEM_NETWORK"] or "yes"),
        dns_server=_dns_server(values["TANDEM_DNS_SERVER"]),
        allow_private_servers=_yes_no("TANDEM_ALLOW_PRIVATE_SERVERS", values["TANDEM_ALLOW_PRIVATE_SERVERS"] or "no"),
        oauth={
            provider: registration
            for provider in OAUTH_PROVIDERS
            if (registration := _oauth(f"TANDEM_OAUTH_{provider.upper()}", values)) is not None
        },
        log_level=_log_level(values["TANDEM_LOG_LEVEL"] or "info"),
    )


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {v.name for v in VARIABLES} | {f"{v.name}_FILE" for v in VARIABLES if v.secret}
    for name in sorted(environ):
        if not name.startswith("TANDEM_") or name.startswith("TANDEM_TEST_") or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise SettingsError(f"{name} is not a setting of Tandem. {hint}docs/settings.md lists them all.")


def _value(environ: Mapping[str, str], variable: Variable) -> str:
    given = environ.get(variable.name, "").strip()
    file_name = environ.get(f"{variable.name}_FILE", "").strip() if variable.secret else ""
    if not file_name:
        return given
    if given:
        raise SettingsError(f"{variable.name} and {variable.name}_FILE are both set. Keep one of them.")
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError(
            f"{variable.name}_FILE names {file_name}, which cannot be read as text ({fault}). "
            "Mend the path or the permissions of the file."
        ) from fault


def _data_folder(given: str, environ: Mapping[str, str]) -> Path:
    if given:
        folder = Path(given).expanduser()
        if not folder.is_absolute():
            raise SettingsError(f"TANDEM_DATA is {given!r}. Give an absolute path, such as /srv/tandem.")
        return folder
    if os.geteuid() == 0:
        return Path("/var/lib/tandem")
    base = environ.get("XDG_DATA_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".local" / "share") / "tandem"


def _database_url(given: str) -> str | None:
    if given and urlsplit(given).scheme not in ("postgres", "postgresql"):
        raise SettingsError(
            "TANDEM_DATABASE_URL must begin with postgresql://, as in "
            "postgresql://user:password@host:5432/name. Leave it empty for the embedded server."
        )
    return given or None


def _port(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 65535:
        raise SettingsError(f"TANDEM_PORT is {given!r}. Give a number from 1 to 65535.")
    return int(given)


def _megabytes(name: str, given: str, least: int, most: int) -> int:
    if not given.isascii() or not given.isdigit() or not least <= int(given) <= most:
        raise SettingsError(f"{name} is {given!r}. Give a number from {least} to {most}.")
    return int(given) * 2**20


def _public_url(given: str, host: str, port: int) -> str:
    if given:
        return _origin("TANDEM_PUBLIC_URL", given)
    if host not in LOOPBACK:
        raise SettingsError(
            f"TANDEM_HOST is {host}, so other machines can reach Tandem, but TANDEM_PUBLIC_URL is not set. "
            "Set it to the address people type, such as https://mail.example.org."
        )
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _origins(given: str, public_url: str, host: str, port: int) -> tuple[str, ...]:
    origins = [public_url]
    if host in LOOPBACK:
        origins += [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    origins += [_origin("TANDEM_ALLOWED_ORIGINS", part) for part in given.split(",") if part.strip()]
    return tuple(dict.fromkeys(origins))


def _origin(name: str, given: str) -> str:
    try:
        parts = urlsplit(given.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    if not usable:
        raise SettingsError(f"{name} holds {given!r}. Give an origin, such as https://mail.example.org.")
    return given.strip().rstrip("/").lower()


def _secret_key(given: str) -> bytes | None:
    if not given:
        return None
    try:
        key = bytes.fromhex(given)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingsError(
            "TANDEM_SECRET_KEY must be 64 hexadecimal digits. Make one with `openssl rand -hex 32`, "
            "and keep it: stored mail passwords cannot be read without it."
        )
    return key


def _smtp(url: str, sender: str) -> SmtpServer | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == 0:
        raise SettingsError(
            "TANDEM_SMTP_URL cannot be understood. Write smtp://user:password@host:587, or smtps:// for "
            "TLS from the start; write @ as %40 and / as %2F inside the user name or password."
        )
    implicit = parts.scheme == "smtps"
    username = unquote(parts.username) if parts.username else None
    sender = sender or (username if username and "@" in username else "")
    if "@" not in sender:
        raise SettingsError("TANDEM_SMTP_FROM must be the address that Tandem's own mail comes from.")
    return SmtpServer(
        host=parts.hostname,
        port=port or (465 if implicit else 587),
        implicit_tls=implicit,
        username=username,
        password=unquote(parts.password) if parts.password else None,
        sender=sender,
    )


def _oauth(name: str, values: Mapping[str, str]) -> OAuthRegistration | None:
    client_id = values[f"{name}_CLIENT_ID"]
    if not client_id:
        for part in ("CLIENT_SECRET", "AUTHORISE_URL", "TOKEN_URL"):
            if values[f"{name}_{part}"]:
                raise SettingsError(f"{name}_{part} is set, but {name}_CLIENT_ID is not. Set both, or neither.")
        return None
    for part in ("AUTHORISE_URL", "TOKEN_URL"):
        _check_endpoint(f"{name}_{part}", values[f"{name}_{part}"])
    return OAuthRegistration(
        client_id=client_id,
        client_secret=values[f"{name}_CLIENT_SECRET"],
        authorise_url=values[f"{name}_AUTHORISE_URL"],
        token_url=values[f"{name}_TOKEN_URL"],
    )


def _check_endpoint(name: str, given: str) -> None:
    """An address that a secret is sent to: over TLS, except on this machine."""
    try:
        parts = urlsplit(given)
        safe = not given or (
            bool(parts.hostname)
            and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
        )
    except ValueError:
        safe = False
    if not safe:
        raise SettingsError(f"{name} is {given!r}. Give an address that begins with https://.")


def _yes_no(name: str, given: str) -> bool:
    answers = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if given.lower() not in answers:
        raise SettingsError(f"{name} is {given!r}. Give yes or no.")
    return answers[given.lower()]


def _dns_server(given: str) -> tuple[str, int] | None:
    if not given:
        return None
    host, bracket, port = given.rpartition("]")
    if bracket:
        host, port = host.removeprefix("["), port.removeprefix(":")
    elif given.count(":") == 1:
        host, _, port = given.partition(":")
    else:
        host, port = given, ""
    try:
        place = str(ipaddress.ip_address(host)), int(port or 53)
    except ValueError:
        place = "", 0
    if not 1 <= place[1] <= 65535:
        raise SettingsError(
            f"TANDEM_DNS_SERVER is {given!r}. Give the IP address of a name server, such as 192.0.2.53, with :port if "
            "it is not 53."
        )
    return place


def _log_level(given: str) -> str:
    if given.lower() not in LOG_LEVELS:
        raise SettingsError(f"TANDEM_LOG_LEVEL is {given!r}. Give one of {', '.join(LOG_LEVELS)}.")
    return given.lower()
