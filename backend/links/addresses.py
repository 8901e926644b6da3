"""The address of a saved link: what it may be, and how its fields are filled in.

Who reads the mail decides what a field holds (it is their name, their company), so a field can never say where the link
leads: it stands behind the host, and what is filled in is percent-encoded, so that it stays one word of the address
(RFC 3986, sections 2.1 and 3.2).
"""

import re
from urllib.parse import quote, urlsplit

from backend.people.checks import refuse
from backend.templates.language import TemplateError, Values, check, fields_in, render

LONGEST_ADDRESS = 2_000
_FIXED = re.compile(r"https?://[^\s/?#@\\{}\[\]]+(?:$|[/?#])", re.IGNORECASE)
"""How it begins: no user name, no field, nothing that a browser would read in another way than we do."""
_KEPT = "%:/?#[]@!$&'()*+,;=~"
"""What may stand in an address besides letters and digits (RFC 3986 section 2.2)."""


def check_address(given: str) -> str:
    """Raises Unacceptable for what is no address of the web, and for a field where none may stand."""
    url = given.strip()
    if not url or len(url) > LONGEST_ADDRESS or any(ord(letter) < 0x20 for letter in url):
        raise refuse("url", f"An address has up to {LONGEST_ADDRESS} characters on one line.", "Paste it again.")
    if not _FIXED.match(url) or not _has_host(url):
        raise refuse(
            "url",
            "This is no address of the web.",
            "It begins with https:// and a host, such as https://meet.example/ana; fields stand behind the host.",
        )
    if "{%" in url or "{#" in url:
        raise refuse("url", "An address has fields only, no conditions.", 'Write {{ contact.phone | default("") }}.')
    try:
        check(url)
    except TemplateError as fault:
        raise refuse("url", fault.message, fault.remedy) from fault
    return url


def fields_of(url: str) -> list[str]:
    return fields_in(url)


def fill_address(url: str, values: Values) -> tuple[str, list[str]]:
    """The address for somebody; or none, and the fields that are empty."""
    rendered = render(url, _encoded(values))
    if rendered.missing:
        return "", list(rendered.missing)
    return quote(rendered.text.strip(), safe=_KEPT), []


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url.partition("{{")[0]).hostname)
    except ValueError:
        return False


def _encoded(values: Values) -> Values:
    fields = {
        group: {name: quote(value, safe="") for name, value in known.items()} for group, known in values.fields.items()
    }
    return Values(fields)
