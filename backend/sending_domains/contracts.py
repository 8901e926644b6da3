"""What DNS says about the domains that mail is from, for admins."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract


class DnsRecord(Contract):
    """A TXT record, as one enters it at the domain's name server."""

    name: str
    value: str


class DomainRecord(Contract):
    """One of SPF, DKIM and DMARC. `records` are those that are there; `add` is one to add, or to put in their place.

    `weak`: there, and of little use; `unknown`: it could not be asked, which says nothing about the domain.
    """

    kind: Literal["spf", "dkim", "dmarc"]
    state: Literal["good", "weak", "wrong", "missing", "unknown"]
    sentence: str
    remedy: str = ""
    records: list[str] = []
    add: DnsRecord | None = None


class SendingDomain(Contract):
    """A domain that mail is from, by these `addresses`. `records` is empty before it was first looked up."""

    id: int
    name: str
    addresses: list[str]
    looked_at: datetime | None
    records: list[DomainRecord]
