"""What people type about themselves and others, checked and tidied. Each raises Unacceptable and names the field."""

import re
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from backend.errors import Unacceptable

LONGEST_NAME = 100
LONGEST_FOLDER = 200
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1_000
"""Characters; hashing more would only keep the server busy."""
MOST_SHORTCUTS = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_COMMAND = re.compile(r"[a-z][a-z-]{0,39}")
_KEYS = re.compile(r"[!-~\u00a1-\uffef](?: [!-~\u00a1-\uffef])?")


def refuse(field: str, message: str, remedy: str) -> Unacceptable:
    """The error of one field."""
    return Unacceptable(message, remedy, fields={field: message})


def check_name(value: str, *, field: str = "name") -> str:
    """A name of 1 to 100 characters on one line, without blanks around it."""
    name = value.strip()
    if not name or len(name) > LONGEST_NAME or _CONTROL.search(name):
        raise refuse(field, "A name has 1 to 100 characters on one line.", "Type a name, or a shorter one.")
    return name


def check_folder(value: str, *, field: str = "folder") -> str:
    """The words between slashes, tidied; empty for none."""
    folder = "/".join(part for each in value.split("/") if (part := " ".join(each.split())))
    if len(folder) > LONGEST_FOLDER or "\x00" in folder:
        raise refuse(field, f"A folder's name has at most {LONGEST_FOLDER} characters.", "Choose a shorter one.")
    return folder


def check_email(value: str, *, field: str = "email") -> str:
    """An e-mail address in lower case. Whether mail reaches it is not looked up."""
    try:
        return validate_email(value.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as fault:
        raise refuse(field, "This is not an e-mail address.", "Write it as name@example.org.") from fault


def check_password(value: str, email: str, *, field: str = "password") -> str:
    """A password of at least 10 characters that is not the person's own address."""
    if not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
        raise refuse(field, "A password has at least 10 characters.", "A short sentence is easy to remember.")
    if value.strip().lower() in (email, email.partition("@")[0]) or len(set(value)) < 4:
        raise refuse(field, "This password is too easy to guess.", "Choose a short sentence that only you know.")
    return value


def check_time_zone(value: str) -> str:
    """A name of the IANA time zone database, such as Europe/Lisbon."""
    if value not in available_timezones():
        raise refuse("time_zone", "There is no such time zone.", "Choose one such as Europe/Lisbon.")
    return value


def check_locale(value: str) -> str:
    """A language, or a language and a country, such as pt-BR (RFC 5646)."""
    if not _LOCALE.fullmatch(value):
        raise refuse("locale", "This is not a language.", "Choose one such as en or pt-BR.")
    return value


def check_shortcuts(shortcuts: dict[str, str]) -> dict[str, str]:
    """Keys by the names of commands: each one sign, or two one after the other; no two of them the same."""
    if len(shortcuts) > MOST_SHORTCUTS:
        raise refuse("shortcuts", "Those are too many shortcuts.", "Leave some as they are.")
    for command, keys in shortcuts.items():
        if not _COMMAND.fullmatch(command) or not _KEYS.fullmatch(keys):
            raise refuse("shortcuts", "A shortcut is one key, or two after each other.", "Press such keys.")
    if len(set(shortcuts.values())) < len(shortcuts):
        raise refuse("shortcuts", "Two commands have the same shortcut.", "Give one of them another.")
    return shortcuts
