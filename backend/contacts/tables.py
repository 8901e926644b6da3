"""Contacts, their addresses, and the mailboxes that they have written to."""

from piccolo.columns import BigInt, BigSerial, Boolean, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.mailboxes.tables import Mailbox


class Contact(Table, tablename="contacts"):
    id = BigSerial(primary_key=True)
    name = Text()
    company = Text()
    phone = Text()
    notes = Text()
    time_zone = Text(help_text="An IANA name that a person set; empty: it is guessed (clocks.py).")
    edited = Boolean(default=False, help_text="By a person: headers no longer change the name.")
    shared = Boolean(default=False, help_text="Entered by a person: everybody in the organisation knows it.")
    version = BigInt(default=1)
    created_at = Timestamptz(default=TimestamptzNow())


class ContactAddress(Table, tablename="contact_addresses"):
    """An address of a contact. One contact holds it, except that a person who may not know of that one can enter
    another: refusing would tell them that somebody else corresponds with it. `realm` keeps them apart: 0, the id of
    the contact that was entered beside, or minus the id of the mailbox that met the address for itself (see
    backend/contacts/correspondents.py). (address, realm) is unique.
    """

    id = BigSerial(primary_key=True)
    contact_id = ForeignKey(Contact, null=False, on_delete=OnDelete.cascade, index=True)
    address = Text(help_text="Lower case.")
    realm = BigInt(default=0)


class ContactMailbox(Table, tablename="contact_mailboxes"):
    """A contact is known to those who can open a mailbox that it wrote to (or that wrote to it)."""

    id = BigSerial(primary_key=True)
    contact_id = ForeignKey(Contact, null=False, on_delete=OnDelete.cascade)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade, index=True)
    last_at = Timestamptz(default=TimestamptzNow())
