"""One mail to each recipient instead of one to all: what each of them gets."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from backend.access.asker import Asker
from backend.compose.body import filling_of
from backend.compose.contracts import Draft
from backend.compose.freeze import check_recipients
from backend.compose.queries import WrittenRecipients
from backend.errors import Unacceptable
from backend.mail.contracts import MailAddress
from backend.templates.filling import values_for
from backend.templates.language import Rendering, TemplateError, Values, fields_in, render
from backend.templates.markup import filled_in

MOST_EACH = 200


async def letters_of(asker: Asker, draft: Draft) -> list[Draft]:
    """The draft once for everybody who is named in it, to them alone, with the fields of its text filled in for them.

    Raises Unacceptable for wrong recipients, for too many, and where a field is empty for somebody: nothing leaves
    then.
    """
    people = _people(draft)
    if len(people) > MOST_EACH:
        raise Unacceptable(
            f"These are {len(people)} people.", f"One mail each goes to {MOST_EACH} at once: send it in parts."
        )
    letters = [msgspec.structs.replace(draft, to=[person], cc=[], bcc=[]) for person in people]
    if not _has_fields(draft):
        return letters
    return [await _filled(asker, letter) for letter in letters]


def with_own_links(letters: Sequence[Draft], own: Sequence[Mapping[str, str]]) -> list[Draft]:
    """The letters, with the key of each recipient's own link where the draft's stands."""
    return [
        msgspec.structs.replace(
            letter, text=_put(letter.text, keys), html=None if letter.html is None else _put(letter.html, keys)
        )
        for letter, keys in zip(letters, own, strict=True)
    ]


def _put(text: str, keys: Mapping[str, str]) -> str:
    for key, own in keys.items():
        text = text.replace(key, own)
    return text


def written_in(draft: Draft) -> str:
    """What was written for all of them, as it is stored: the draft comes back so."""
    people = WrittenRecipients(to=draft.to, cc=draft.cc, bcc=draft.bcc)
    text = {"subject": draft.subject, "text": draft.text, "html": draft.html}
    return msgspec.json.encode({"recipients": people, **text}).decode()


def _people(draft: Draft) -> list[MailAddress]:
    found = check_recipients(draft)
    once: dict[str, MailAddress] = {}
    for person in (*found.to, *found.cc, *found.bcc):
        once.setdefault(person.address.lower(), MailAddress(name=person.name, address=person.address))
    return list(once.values())


def _has_fields(draft: Draft) -> bool:
    """Whether it holds fields of ours. Other text in such brackets is left as it is."""
    whole = f"{draft.subject}\n{draft.text}\n{draft.html or ''}"
    if "{{" not in whole and "{%" not in whole:
        return False
    try:
        return bool(fields_in(draft.subject) or fields_in(draft.text) or fields_in(draft.html or ""))
    except TemplateError:
        return False


async def _filled(asker: Asker, letter: Draft) -> Draft:
    values = await values_for(asker, filling_of(letter))
    try:
        subject, text, html = await asyncio.to_thread(_rendered, letter, values)
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy) from fault
    missing = list(dict.fromkeys((*subject.missing, *text.missing, *(html.missing if html else ()))))
    if missing:
        raise Unacceptable(
            f"For {letter.to[0].address} there is nothing to put into {', '.join(missing)}.",
            'Fill it in at the contact, or write what else to say: {{ contact.first_name | default("there") }}.',
        )
    return msgspec.structs.replace(
        letter, subject=" ".join(subject.text.split()), text=text.text, html=html.text if html else None
    )


def _rendered(letter: Draft, values: Values) -> tuple[Rendering, Rendering, Rendering | None]:
    html = None if letter.html is None else filled_in(letter.html, values)
    return render(letter.subject, values), render(letter.text, values), html
