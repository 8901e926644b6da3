"""What a person typed into To, Cc or Bcc: addresses, and what is wrong with the rest. No network."""

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from sync.mime.characters import clean_line
from sync.mime.message import Address

MAX_TYPED = 100_000
_ENTRY = re.compile(r"(?:\"(?:[^\"\\\n]|\\.){0,200}\"|<[^<>\n]{0,400}>|[^,;\n\"<>]|[\"<>])+")
_NAMED = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*\Z", re.DOTALL)
_ADDRESS_IN_WORDS = re.compile(r"(?P<name>.*\s)(?P<address>[^\s@]+@[^\s@]+)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RecipientProblem:
    """A typed entry that is no address, and a sentence that says why."""

    entry: str
    reason: str


def parse_recipients(text: str) -> tuple[list[Address], list[RecipientProblem]]:
    """The addresses in a typed list, each once, and the entries that are none.

    Understands "Name <a@b.example>", quoted names, and commas, semicolons, line breaks or blanks between
    addresses. International domains come back as people write them; `build_message` turns them into ASCII.
    """
    found: dict[str, Address] = {}
    problems: list[RecipientProblem] = []
    for entry in _entries(text[:MAX_TYPED]):
        name, address = _split(entry)
        if not address:
            problems.append(RecipientProblem(entry, "There is no address in it."))
            continue
        try:
            checked = validate_email(
                address,
                check_deliverability=False,
                allow_smtputf8=False,
                globally_deliverable=False,  # an intranet's mail.local is for its server to judge
            )
        except EmailNotValidError as error:
            problems.append(RecipientProblem(entry, str(error)))
            continue
        found.setdefault(checked.normalized.lower(), Address(name, checked.normalized))
    return list(found.values()), problems


def _entries(text: str) -> list[str]:
    entries: list[str] = []
    for match in _ENTRY.finditer(text.replace("\r", "\n")):
        entry = clean_line(match[0])
        words = entry.split()
        if len(words) > 1 and all("@" in word and "<" not in word and '"' not in word for word in words):
            entries.extend(words)  # only blanks between bare addresses
        elif entry:
            entries.append(entry)
    return entries


def _split(entry: str) -> tuple[str, str]:
    match = _NAMED.match(entry)
    if match is None and "@" in entry and " " in entry:
        match = _ADDRESS_IN_WORDS.match(entry)
    if match is None:
        return "", entry.removeprefix("mailto:") if "@" in entry else ""
    name = match["name"].strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name.strip(), match["address"].strip().removeprefix("mailto:")
