"""What the merge fields hold for one person, one mailbox and one recipient: only what that person may know."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from backend.access.asker import Asker
from backend.access.fetch import access_conversation, access_mailbox
from backend.contacts.queries import contact_of_address
from backend.database.connection import fetch_row, fetch_value
from backend.mail.contracts import MailAddress
from backend.people.checks import refuse
from backend.templates.contracts import RenderFor
from backend.templates.language import FIELDS, Values

LONGEST_VALUE = 500
EXAMPLES: Mapping[str, str] = {
    "contact.name": "Carla Customer",
    "contact.first_name": "Carla",
    "contact.last_name": "Customer",
    "contact.email": "carla@customer.example",
    "contact.company": "Customer & Co",
    "contact.phone": "+351 21 000 0000",
    "me.name": "Ana Ribeiro",
    "me.first_name": "Ana",
    "me.email": "ana@northwind.example",
    "mailbox.name": "Support",
    "mailbox.address": "support@northwind.example",
    "organisation.name": "Northwind Bikes",
    "conversation.subject": "My bike squeaks",
    "today.date": "30 November 2026",
    "today.weekday": "Monday",
    "today.year": "2026",
}


def example_values() -> Values:
    """Every field with its example, and two recipients."""
    fields: dict[str, dict[str, str]] = {}
    for name, example in EXAMPLES.items():
        group, field = name.split(".")
        fields.setdefault(group, {})[field] = example
    return Values(fields, [fields["contact"], _person("Dan Customer", "dan@customer.example")])


async def values_for(asker: Asker, wanted: RenderFor) -> Values:
    """Raises NotFound for a mailbox or a conversation that the person cannot open."""
    mailbox_id, subject = wanted.mailbox_id, ""
    if wanted.conversation_id is not None:
        key = await access_conversation(asker, wanted.conversation_id)
        subject = await fetch_value("SELECT subject FROM conversations WHERE id = $1", key.conversation_id)
        mailbox_id = key.mailbox_id if mailbox_id is None else mailbox_id
    me = await fetch_row("SELECT name, email, time_zone FROM users WHERE id = $1", asker.user_id)
    assert me is not None
    now = datetime.now(ZoneInfo(me["time_zone"]))
    fields: dict[str, Mapping[str, str]] = {
        "me": _person(me["name"], me["email"]),
        "organisation": {"name": await fetch_value("SELECT name FROM organisation LIMIT 1") or ""},
        "conversation": {"subject": subject},
        "today": {"date": f"{now.day} {now:%B %Y}", "weekday": f"{now:%A}", "year": str(now.year)},
    }
    if mailbox_id is not None:
        fields["mailbox"] = await _mailbox(asker, mailbox_id, wanted)
    if wanted.to:
        fields["contact"] = await _contact(asker, wanted.to[0], mailbox_id)
    return Values(_completed(fields, wanted.given), [_person(each.name, each.address) for each in wanted.to])


def _completed(fields: Mapping[str, Mapping[str, str]], given: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """With what the writer says where nothing is known. Raises Unacceptable for a field that there is not."""
    whole = {name: dict(values) for name, values in fields.items()}
    for name, value in given.items():
        group, _, field = name.partition(".")
        if field not in FIELDS.get(group, ()):
            raise refuse("given", f"There is no field “{name[:80]}”.", "Give values to the fields that are missing.")
        if len(value) > LONGEST_VALUE or "\x00" in value:
            raise refuse("given", f"A field holds {LONGEST_VALUE} characters at most.", "Write it into the mail.")
        values = whole.setdefault(group, {})
        values[field] = values.get(field) or " ".join(value.split())
    return dict(whole)


async def _mailbox(asker: Asker, mailbox_id: int, wanted: RenderFor) -> Mapping[str, str]:
    if wanted.conversation_id is None or wanted.mailbox_id is not None:
        await access_mailbox(asker, mailbox_id)
    record = await fetch_row("SELECT name, address, default_from_name FROM mailboxes WHERE id = $1", mailbox_id)
    return {"name": record["default_from_name"] or record["name"], "address": record["address"]} if record else {}


async def _contact(asker: Asker, first: MailAddress, mailbox_id: int | None) -> Mapping[str, str]:
    """Of the contact that the address belongs to; what is not known of them is taken from the address as typed."""
    known = await contact_of_address(asker, first.address, mailbox_id)
    person = _person(known.name if known and known.name else first.name, first.address)
    return {**person, "company": known.company, "phone": known.phone} if known else person


def first_name(name: str) -> str:
    """As the field says it."""
    return _person(name, "")["first_name"]


def _person(name: str, email: str) -> dict[str, str]:
    """A name of one word is a first name; "Customer, Carla" is turned round."""
    last, comma, first = name.partition(",")
    words = f"{first} {last}".split() if comma else name.split()
    return {
        "name": " ".join(words),
        "first_name": words[0] if words else "",
        "last_name": words[-1] if len(words) > 1 else "",
        "email": email,
    }
