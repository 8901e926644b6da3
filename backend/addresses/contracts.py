"""Addresses in use, and whether somebody said that they are theirs."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract


class AddressUse(Contract):
    """What uses an address: a mailbox's own, an identity's From or Reply-to, a server's or account's user name, a
    person's own, the Reply-to of system mail. `id` is the row's; of an account it is the mailbox's.
    """

    use: Literal["group", "intake", "identity", "reply_to", "server", "account", "person", "system", "draft"]
    id: int


class UsedAddress(Contract):
    """`verified_by`: `link`, somebody pressed the button of the mail; `account`, its mailbox is read here by a sign-in
    that only its owner has. `asked_at`: when the mail was last sent.
    """

    id: int
    address: str
    verified_at: datetime | None
    verified_by: str
    asked_at: datetime | None
    uses: list[AddressUse]


class AddressBook(Contract):
    """Every address that an admin may know of, those not verified first. `can_ask`: Tandem can send mail of its own."""

    can_ask: bool
    addresses: list[UsedAddress]


class AddressToken(Contract):
    """What the link of a mail holds."""

    token: str


class AddressOffer(Contract):
    """What stands on the page that the link opens."""

    organisation_name: str
    address: str
    verified: bool
