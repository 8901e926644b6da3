"""What can be said of typed servers before any of them is asked."""

import re

import msgspec

from backend.accounts.contracts import ConnectAccount, ServerAddress
from backend.errors import Unacceptable
from backend.people.checks import check_email
from backend.settings import settings

LONGEST_HOST = 253
LONGEST_NAME = 320
LONGEST_PASSWORD = 4_096
_HOST = re.compile(r"[^\s/@\x00-\x1f\x7f]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def check_connect(given: ConnectAccount, *, by_password: bool = True) -> ConnectAccount:
    """The same, trimmed. Raises Unacceptable that names every wrong field. A sign-in elsewhere brings no password."""
    wanted = msgspec.structs.replace(
        given,
        address=check_email(given.address, field="address"),
        username=given.username.strip(),
        smtp_username=given.smtp_username.strip(),
        imap=trimmed(given.imap),
        smtp=trimmed(given.smtp),
    )
    fields = server_faults("imap", wanted.imap) | server_faults("smtp", wanted.smtp)
    for field, longest in (("username", LONGEST_NAME), ("smtp_username", LONGEST_NAME)):
        text = getattr(wanted, field)
        if len(text) > longest or _CONTROL.search(text) or (field == "username" and not text):
            fields[field] = "Type the user name; it is usually the whole address."
    for field in ("password", "smtp_password"):
        text = getattr(wanted, field)
        if len(text) > LONGEST_PASSWORD or _CONTROL.search(text) or (field == "password" and by_password and not text):
            fields[field] = "Type the password."
    if fields:
        raise Unacceptable("This account cannot be tried so.", " ".join(dict.fromkeys(fields.values())), fields=fields)
    return wanted


def trimmed(server: ServerAddress) -> ServerAddress:
    return msgspec.structs.replace(server, host=server.host.strip().strip(".").lower())


def server_faults(name: str, server: ServerAddress) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not _HOST.fullmatch(server.host) or len(server.host) > LONGEST_HOST or _CONTROL.search(server.host):
        faults[f"{name}.host"] = "Type the server's name, as in imap.example.org."
    if not 1 <= server.port <= 65_535:
        faults[f"{name}.port"] = "A port is a number from 1 to 65535."
    if server.security == "none" and not settings().allow_private_servers:
        faults[f"{name}.security"] = "Choose TLS or STARTTLS: without it the password would cross the network in clear."
    return faults
