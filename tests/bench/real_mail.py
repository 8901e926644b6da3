# ruff: noqa: SIM905 - words read better as one line
"""Mail of the sizes and shapes that real mailboxes hold: 14 KB on average, one in ten with attachments.

Half is plain text, half has an HTML side; answers quote what they answer; headers are as long as relays make them.
Words come from a vocabulary of 30,000 with the frequencies of natural language (Zipf): an index of words costs by
how many different ones there are. The same seed gives the same mail.
"""

import base64
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from itertools import accumulate

VOCABULARY = 30_000
_BEGAN = datetime(2024, 1, 8, 7, 30, tzinfo=UTC)
_SYLLABLES = (
    "ba be bi bo bu da de di do du fa fe fi fo ga ge go ha he hi ho ja jo ka ke ki ko la le li lo lu ma me mi mo mu "
    "na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi wa we wi za ze zo an en in on er "
    "ar or es is as ent ing ion tra pre con str spr ist und schl ung ment able ness"
).split()
_NAMES = "Carla Mateus Ingrid Yusuf Hanna Piotr Amelie Noor Luca Sanne Emile Tove Rui Katja Bram Aisha".split()
_STYLE = (
    "body{margin:0;padding:0;font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5;color:#1f2933}"
    "table{border-collapse:collapse}td{padding:12px 24px}a{color:#2563eb;text-decoration:none}"
    "@media only screen and (max-width:600px){.w{width:100%!important}.h{display:none!important}}"
)


class MailWriter:
    """Writes a mailbox's mail, oldest first."""

    def __init__(self, seed: int = 11) -> None:
        self._chance = random.Random(seed)
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((1, 2, 2, 3, 3, 4))))] = None
        self._words = list(words)
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))
        self._number = 0

    def messages(self, count: int) -> Iterator[bytes]:
        """So many messages in the order in which they were received; conversations run beside each other."""
        running: list[_Thread] = []
        for _ in range(count):
            self._number += 1
            at = _BEGAN + timedelta(minutes=37 * self._number)
            if running and self._chance.random() < 0.45:
                thread = self._chance.choice(running[-200:])
            else:
                thread = _Thread(self._subject(), self._person(), [], "")
                running.append(thread)
            yield self._message(thread, at)

    def _message(self, thread: "_Thread", at: datetime) -> bytes:
        kind = self._chance.random()
        attached = kind < 0.1
        html = kind < 0.05 or kind > 0.52
        text = self._text(self._chance.choices((2, 6, 14), weights=(5, 4, 1))[0])
        quoted = "".join(f"> {line}\r\n" for line in thread.last.splitlines()[:60])
        plain = f"{text}\r\n\r\n{thread.name} wrote on {at:%d %B}:\r\n{quoted}" if quoted else text
        identifier = f"{self._number}.{self._chance.randrange(10**9)}@mail.customers.example"
        head = self._head(thread, at, identifier)
        thread.identifiers.append(identifier)
        thread.last = text
        return (head + self._body(plain, html=html, attached=attached)).encode("utf-8")

    def _head(self, thread: "_Thread", at: datetime, identifier: str) -> str:
        chance = self._chance
        date = format_datetime(at)
        lines = ["Return-Path: <bounce@relay.example>", "Delivered-To: ana@northwind.example"]
        for hop in range(chance.randint(2, 4)):
            lines.append(
                f"Received: from relay{hop}.customers.example (relay{hop}.customers.example [192.0.2.{hop + 7}])\r\n"
                f"\tby mx{hop}.northwind.example with ESMTPS id {self._token(16)}\r\n"
                f"\tfor <ana@northwind.example>; {date}"
            )
        lines += [
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customers.example; s=k1;\r\n"
            f"\th=from:to:subject:date:message-id; bh={self._token(44)};\r\n\tb="
            + "\r\n\t ".join(self._token(64) for _ in range(5)),
            "Authentication-Results: mx.northwind.example; dkim=pass header.d=customers.example;\r\n"
            "\tspf=pass smtp.mailfrom=bounce@relay.example; dmarc=pass",
            f"From: {thread.name} <{thread.address}>",
            "To: Ana Ribeiro <ana@northwind.example>",
            f"Subject: {'Re: ' if thread.identifiers else ''}{thread.subject}",
            f"Date: {date}",
            f"Message-ID: <{identifier}>",
        ]
        if thread.identifiers:
            lines.append(f"In-Reply-To: <{thread.identifiers[-1]}>")
            lines.append("References: " + "\r\n ".join(f"<{each}>" for each in thread.identifiers[-12:]))
        lines.append("MIME-Version: 1.0")
        return "\r\n".join(lines) + "\r\n"

    def _body(self, plain: str, *, html: bool, attached: bool) -> str:
        text = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{plain}\r\n"
        if html:
            inner = f"alt{self._number}"
            page = (
                f"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                f"{self._page(plain)}\r\n"
            )
            text = (
                f'Content-Type: multipart/alternative; boundary="{inner}"\r\n\r\n'
                f"--{inner}\r\n{text}--{inner}\r\n{page}--{inner}--\r\n"
            )
        if not attached:
            return text
        outer = f"mix{self._number}"
        size = min(600_000, int(self._chance.lognormvariate(10.0, 0.9)))
        data = base64.encodebytes(self._chance.randbytes(size)).decode("ascii").replace("\n", "\r\n")
        return (
            f'Content-Type: multipart/mixed; boundary="{outer}"\r\n\r\n--{outer}\r\n{text}--{outer}\r\n'
            f'Content-Type: application/pdf; name="offer-{self._number}.pdf"\r\n'
            f'Content-Disposition: attachment; filename="offer-{self._number}.pdf"\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\n{data}--{outer}--\r\n"
        )

    def _page(self, plain: str) -> str:
        rows = "".join(
            f'<tr><td class="w" style="padding:12px 24px;font-size:15px;line-height:22px;color:#1f2933">{escape(each)}'
            f'<a href="https://customers.example/{self._token(12)}" style="color:#2563eb">{self._token(6)}</a>'
            "</td></tr>\r\n"
            for each in plain.split("\r\n")
            if each.strip()
        )
        return (
            f'<html><head><meta charset="utf-8"><style>{_STYLE}</style></head>\r\n<body><table width="600" class="w">'
            f"\r\n{rows}</table></body></html>"
        )

    def _text(self, paragraphs: int) -> str:
        return "\r\n\r\n".join(self._paragraph() for _ in range(paragraphs))

    def _paragraph(self) -> str:
        words = self._chance.choices(self._words, cum_weights=self._weights, k=self._chance.randint(20, 90))
        lines = [" ".join(words[start : start + 11]) for start in range(0, len(words), 11)]
        return "\r\n".join(lines).capitalize() + "."

    def _subject(self) -> str:
        words = self._chance.choices(self._words[200:], k=self._chance.randint(3, 7))
        return f"{' '.join(words).capitalize()} ({self._number})"

    def _person(self) -> tuple[str, str]:
        number = self._chance.randrange(3000)
        name = f"{_NAMES[number % len(_NAMES)]} {self._words[number].capitalize()}"
        return name, f"{name.split()[0].lower()}.{number}@customers.example"

    def _token(self, length: int) -> str:
        return "".join(self._chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=length))


class _Thread:
    """A conversation that goes on; `last` is the text of its newest message."""

    def __init__(self, subject: str, person: tuple[str, str], identifiers: list[str], last: str) -> None:
        self.subject = subject
        self.name, self.address = person
        self.identifiers = identifiers
        self.last = last


def mean_size(messages: Sequence[bytes]) -> float:
    """The average in KB (1,000 bytes)."""
    return sum(map(len, messages)) / max(1, len(messages)) / 1000
