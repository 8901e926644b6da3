# ruff: noqa: SIM905 - words read better as one line
"""The mail of a mailbox that has been in use: conversations of one to six messages, text and HTML, of varied length.

Every message of a conversation carries its mark (`NB-00421`) in the subject and in its first line, so that a page
can be asked whether it shows that conversation. The same seed gives the same mail.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

SUPPORT = "Support <support@northwind.example>"
HTML_SHARE = 0.5

FIRST_NAMES = "Carla Mateus Ingrid Yusuf Hanna Piotr Amélie Noor Luca Sanne Émile Tove Rui Katja Bram Aisha".split()
LAST_NAMES = "Okafor Lindqvist Moreau Silva Nowak Haddad Jansen Bianchi Keller Petrov Dubois Costa".split()
_THINGS = "brake saddle derailleur battery rim chain fork pedal tyre charger spoke headset light pump".split()
_TROUBLES = "squeaks|came loose|arrived scratched|does not fit|lost its colour|stopped charging|is missing".split("|")
_WORDS = (
    "the a we you it on after before under rain hill ride shop week Monday frame order parcel warranty colour size "
    "invoice street photo screw tool cable slowly twice again still never perhaps please thanks because although "
    "delivered ordered tightened replaced noticed tried called waited returned"
).split()
_BEGAN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def mark(number: int) -> str:
    """What the messages of conversation `number` can be recognised by."""
    return f"NB-{number:05d}"


def subject_line(chance: random.Random, mark: str) -> str:
    """What a customer writes about."""
    return f"The {chance.choice(_THINGS)} {chance.choice(_TROUBLES)} ({mark})"


def old_mail(conversations: int, seed: int = 7) -> Iterator[bytes]:
    """All messages of so many conversations, oldest conversation first."""
    chance = random.Random(seed)
    for number in range(conversations):
        yield from _conversation(chance, number)


def _conversation(chance: random.Random, number: int) -> Iterator[bytes]:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    customer = f"{first} {last} <{first}.{last}{number}@customers.example>".encode("ascii", "ignore").decode()
    subject = subject_line(chance, mark(number))
    at = _BEGAN + timedelta(minutes=90 * number)
    earlier: list[str] = []
    # Customers write on in the same thread: the mail that the team itself sent lies in the Sent folder.
    for turn in range(chance.choices((1, 2, 3, 6), weights=(70, 18, 8, 4))[0]):
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = customer, SUPPORT
        mail["Subject"] = subject if turn == 0 else f"Re: {subject}"
        mail["Date"] = format_datetime(at + timedelta(hours=5 * turn))
        mail["Message-ID"] = f"<{number}.{turn}@customers.example>"
        if earlier:
            mail["In-Reply-To"], mail["References"] = earlier[-1], " ".join(earlier)
        earlier.append(mail["Message-ID"])
        paragraphs = [f"This is about {mark(number)}.", *_paragraphs(chance)]
        mail.set_content("\n\n".join(paragraphs) + f"\n\n{first}\n")
        if chance.random() < HTML_SHARE:
            mail.add_alternative(_page(paragraphs, first), subtype="html")
        yield bytes(mail)


def _paragraphs(chance: random.Random) -> list[str]:
    return [
        " ".join(_sentence(chance) for _ in range(chance.randint(1, 5)))
        for _ in range(chance.choices((1, 3, 9), weights=(5, 4, 1))[0])
    ]


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(5, 16))).capitalize() + "."


def _page(paragraphs: list[str], name: str) -> str:
    body = "".join(f'<p style="margin:0 0 12px">{escape(each)}</p>' for each in paragraphs)
    return (
        "<html><head><style>p{font-family:Arial,sans-serif;font-size:14px;color:#222}</style></head><body>"
        f'<table width="100%"><tr><td style="padding:8px">{body}<p><b>{name}</b><br>'
        '<a href="https://customers.example/">customers.example</a></p></td></tr></table></body></html>'
    )
