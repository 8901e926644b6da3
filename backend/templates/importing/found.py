"""What an import brings along, and what it is told about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.templates.contracts import FindingKind, ImportFinding

MOST_NAMED = 20
LONGEST_NAMED = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPicture:
    """A picture that comes along; `problem` says why it cannot be shown, if so."""

    filename: str
    content_type: str = ""
    content: bytes = b""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readied:
    """A template to be looked at and named. Its `html` names `pictures` by content-ids that hold for it alone."""

    name: str
    subject: str
    html: str | None
    text: str
    pictures: Mapping[str, FoundPicture] = field(default_factory=dict)
    findings: Sequence[ImportFinding] = ()


def finding(kind: FindingKind, text: str, items: Sequence[str] = ()) -> ImportFinding:
    """With each of the items once, shortened, and no more than one reads."""
    named = list(dict.fromkeys(" ".join(each.split())[:LONGEST_NAMED] for each in items))
    more = len(named) - MOST_NAMED
    if more > 0:
        named = [*named[:MOST_NAMED], f"and {more} more"]
    return ImportFinding(kind=kind, text=text, items=named)


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 script", "2 scripts"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
