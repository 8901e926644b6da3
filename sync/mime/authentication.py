"""What the server that took a mail in says of its writer: Authentication-Results (RFC 8601).

Anybody can write such a header, so only the topmost is believed, and those that follow it under the same name before
the next Received: the server that delivered to us puts its own above all that came with the mail, and removes what
pretends to be its own (section 5). Where a server writes none nothing is known.

DMARC (RFC 7489) decides where it is told; else a passing DKIM signature or SPF check of the writer's own domain, or a
sign-in with an address of it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.mime.headers import decode_field, read_fields, split_head

RESULTS = "authentication-results"
LONGEST = 4_000
"""Characters of a header that are read."""

_COMMENT = re.compile(r"\([^()]*\)")
_METHOD = re.compile(r"\s*([a-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"([a-z]+\.[a-z0-9_-]+)\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a server checked, in lower case: `dkim`, `pass`, `{"header.d": "northwind.example"}`."""

    method: str
    result: str
    properties: Mapping[str, str]

    def speaks_for(self, domain: str) -> bool:
        """Whether what was checked is the domain, one above it, or one below it."""
        named = (self.properties.get(name, "") for name in _SPEAKS_FOR.get(self.method, ()))
        return any(_aligned(value.rpartition("@")[2].strip('".<>'), domain) for value in named)


_SPEAKS_FOR = {
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom", "smtp.mail"),
    "auth": ("smtp.auth", "smtp.mailfrom"),
}


def vouched(headers: Iterable[tuple[str, str]], address: str) -> bool | None:
    """Whether the server vouches for a mail being from the domain of `address`; None where it says nothing of it.

    `headers` are those of the mail, decoded, in their order.
    """
    domain = address.lower().rpartition("@")[2]
    checks = _own_checks(headers)
    for each in checks:
        if each.method == "dmarc" and each.properties.get("header.from", domain) == domain and each.result != "none":
            return each.result == "pass"
    if any(each.result == "pass" and each.speaks_for(domain) for each in checks):
        return True
    told = [each for each in checks if each.method in ("dkim", "spf")]
    strange = any(each.method == "spf" and each.properties and not each.speaks_for(domain) for each in told)
    return False if strange or any(each.result != "none" for each in told) else None


def disowned(raw: bytes, address: str) -> bool:
    """Whether the server that took this mail in says that it is not from the domain of `address`."""
    fields = read_fields(split_head(raw)[0])
    return vouched(((field.name, decode_field(field)) for field in fields), address) is False


def _own_checks(headers: Iterable[tuple[str, str]]) -> Sequence[Check]:
    """What the server that delivered the mail says, and nobody else."""
    server, checks = None, list[Check]()
    for name, value in headers:
        if server is not None and name.lower() == "received":
            break
        if name.lower() != RESULTS:
            continue
        identifier, *told = _plain(value[:LONGEST]).split(";")
        named = identifier.split()
        if server is None:
            server = named[:1]
        if named[:1] == server:
            checks += [check for part in told if (check := _check(part)) is not None]
    return checks


def _check(told: str) -> Check | None:
    found = _METHOD.match(told)
    if found is None:
        return None
    properties = {name.lower(): value.lower() for name, value in _PROPERTY.findall(told[found.end() :])}
    return Check(found[1].lower(), found[2].lower(), properties)


def _plain(value: str) -> str:
    """The value without its comments, which may be nested."""
    while (without := _COMMENT.sub(" ", value)) != value:
        value = without
    return value


def _aligned(checked: str, domain: str) -> bool:
    if "." not in checked or "." not in domain:
        return checked == domain != ""
    return checked == domain or domain.endswith(f".{checked}") or checked.endswith(f".{domain}")
