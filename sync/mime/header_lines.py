"""Writing header fields: encoded (RFC 2047), folded, and safe against injected lines.

The standard library folds a References field of long identifiers into encoded words and glues them together
(seen with Python 3.11), which breaks every thread. So identifiers and addresses are folded here between their
items; only free text goes through `email.header`.
"""

import re
from collections.abc import Iterable
from email.header import Header

import idna

from sync.mime.message import Address

LINE = 76
LONGEST_PLAIN = 60
"""Of a name that is not encoded: it cannot be folded."""
_ATOM_TEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*\Z")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_ADDR_SPEC = re.compile(r"(?:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}|\"[^\"\\\r\n]{1,62}\")@([^\s@<>,;\"]{1,253})\Z")
_IDENTIFIER = re.compile(r"[!-;=?-~]{1,900}\Z")


class CompositionError(ValueError):
    """What was to be sent cannot be written as a message. `field` names the culprit, the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def checked(field: str, value: str) -> str:
    """The value, or `CompositionError` when it holds a line break or another control character."""
    if _FORBIDDEN.search(value):
        raise CompositionError(field, "a line break or control character is not allowed here")
    return value


def text_field(name: str, value: str) -> str:
    """An unstructured field such as Subject."""
    value = checked(name, value).strip()
    if value.isascii() and "=?" not in value and len(name) + 2 + len(value) <= LINE:
        return f"{name}: {value}\r\n"
    if value.isascii() and "=?" not in value and all(len(word) < LINE for word in value.split(" ")):
        return _folded(name, [word + " " for word in value.split(" ")[:-1]] + [value.split(" ")[-1]])
    encoded = Header(value, "utf-8", maxlinelen=LINE, header_name=name).encode(linesep="\r\n")
    return f"{name}: {encoded}\r\n"


def address_field(name: str, addresses: Iterable[Address]) -> str:
    """An address list, one address after the other, folded between them."""
    written = [written_address(name, address) for address in addresses]
    return _folded(name, [f"{text}, " for text in written[:-1]] + written[-1:])


def identifier_field(name: str, identifiers: Iterable[str]) -> str:
    """Message-ID, In-Reply-To or References; identifiers that no header can carry are refused."""
    written: list[str] = []
    for identifier in identifiers:
        if not _IDENTIFIER.match(identifier):
            raise CompositionError(name, "not a message identifier")
        written.append(f"<{identifier}>")
    return _folded(name, [f"{text} " for text in written[:-1]] + written[-1:])


def written_address(field: str, address: Address) -> str:
    """`Name <local@domain>` in ASCII; the domain in its IDNA form."""
    spec = ascii_address(field, address.address)
    name = checked(field, address.name).strip()
    if not name:
        return spec
    words = _phrase(field, name)
    last = len(field) + 2 + len(words) if "\r\n" not in words else len(words) - words.rindex("\r\n")
    between = " " if last + len(spec) + 3 <= LINE else "\r\n "
    return f"{words}{between}<{spec}>"


def _phrase(field: str, name: str) -> str:
    """A display name: as it is, in quotation marks, or encoded, which a long one is so that it can be folded."""
    if name.isascii() and "=?" not in name and len(name) <= LONGEST_PLAIN:
        if _ATOM_TEXT.match(name):
            return name
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        if len(quoted) <= LONGEST_PLAIN:
            return f'"{quoted}"'
    return Header(name[:500], "utf-8", maxlinelen=LINE, header_name=field).encode(linesep="\r\n")


def ascii_address(field: str, address: str) -> str:
    """The address as SMTP without SMTPUTF8 takes it, or `CompositionError`."""
    match = _ADDR_SPEC.match(checked(field, address))
    if match is None:
        local = address.rpartition("@")[0]
        if local and not local.isascii():
            raise CompositionError(field, f"{address}: only ASCII is possible before the @")
        raise CompositionError(field, f"{address or '(empty)'} is not an address")
    domain = match[1]
    if domain.isascii():
        return address
    try:
        return address[: match.start(1)] + idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise CompositionError(field, f"{domain} is not a domain name") from error


def _folded(name: str, items: list[str]) -> str:
    """A field whose items keep together; a line is broken before an item that would pass the limit."""
    lines = [f"{name}: "]
    for item in items:
        if len(lines[-1]) + len(item.rstrip()) > LINE and lines[-1].strip() != f"{name}:":
            lines[-1] = lines[-1].rstrip()
            lines.append(" ")
        lines[-1] += item
    return "\r\n".join(line.rstrip() if len(line.strip()) else line for line in lines) + "\r\n"
