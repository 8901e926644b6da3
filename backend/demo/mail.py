"""Turns the demo's conversations into RFC 5322 messages, as the mail programs of their writers would."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Literal

from backend.demo.attachments import AttachedFile, Occasion, make_file
from backend.demo.clients import (
    TEAM,
    MailClient,
    Quoted,
    charset_for,
    client_of,
    encoded_word,
    flowed,
    html_of,
    quote,
    reply_subject,
    unwrapped,
)
from backend.demo.corpus import Conversation, CorpusMessage, Correspondent
from backend.demo.people import MAILBOXES, PEOPLE, DemoMailbox

_AUTOMATIC = frozenset(
    ("noreply", "no-reply", "newsletter", "news", "shop", "orders", "notifications", "mailer", "system", "robot")
)
_AUTOMATIC_REPLIES = (
    "automatic reply", "out of office", "auto:", "automatische antwort", "abwesenheit", "resposta automática",
    "automatisk svar", "réponse automatique", "respuesta automática", "risposta automatica",
)  # fmt: skip
_YOUNGEST = timedelta(minutes=3)
"""No mail of a history is younger than this when the demo starts."""


@dataclass(frozen=True)
class Letter:
    """Everything that one mail says and refers to; `write` makes the bytes of it."""

    sender: Correspondent
    client: MailClient
    to: str
    subject: str
    text: str
    when: datetime
    message_id: str
    language: str = "en"
    cc: Sequence[str] = ()
    html: str | None = None
    signature: str | None = None
    quoted: Quoted | None = None
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    attachments: Sequence[AttachedFile] = ()

    @property
    def body(self) -> str:
        """The plain text as it is sent: text, signature, quote."""
        parts = [self.text.rstrip()]
        if self.signature:
            parts.append(f"-- \n{self.signature.rstrip()}")
        if self.quoted:
            parts.append(quote(self.client, self.language, self.quoted))
        return "\n\n".join(parts) + "\n"


@dataclass(frozen=True)
class StoredMail:
    """A message as it lies on the demo's IMAP server."""

    account: str
    folder: Literal["INBOX", "Sent"]
    when: datetime
    seen: bool
    answered: bool
    raw: bytes = field(repr=False)


def conversation_letters(conversation: Conversation, times: Sequence[datetime], salt: str = "") -> list[Letter]:
    """The letters of a conversation, one for each time. ``salt`` gives the same texts other Message-IDs."""
    mailbox = MAILBOXES[conversation.mailbox]
    letters: list[Letter] = []
    partner = conversation.customer
    for number, (message, when) in enumerate(zip(conversation.messages, times, strict=True)):
        colleague = message.team_member
        if colleague:
            sender = Correspondent(name=_team_name(colleague, mailbox, number), address=mailbox.address)
            client, to = TEAM[colleague], _shown(partner)
        else:
            sender = message.sender if isinstance(message.sender, Correspondent) else conversation.customer
            client = client_of(sender.address, automatic=message.html is not None or is_automatic(sender.address))
            to, partner = _to_mailbox(mailbox, sender, number), sender
        previous = letters[-1] if letters else None
        letters.append(
            Letter(
                sender=sender,
                client=client,
                to=to,
                subject=_subject(conversation, message, client, previous),
                text=message.text if client.wraps else unwrapped(message.text),
                when=when,
                message_id=new_message_id(client, sender.address, f"{salt}{conversation.id}/{number}", when),
                language=mail_language(conversation),
                cc=message.cc,
                html=message.html,
                signature=message.signature,
                quoted=quoted_from(previous) if previous and message.quote else None,
                in_reply_to=previous.message_id if previous else None,
                references=[*previous.references, previous.message_id] if previous else [],
                attachments=[
                    make_file(each, Occasion(conversation.subject, sender, when)) for each in message.attachments
                ],
            )
        )
    return letters


def history(conversation: Conversation, start: datetime) -> list[StoredMail]:
    """The mails of a conversation as they lay on the server when the demo started."""
    account = MAILBOXES[conversation.mailbox].address
    letters = conversation_letters(conversation, times(conversation, start))
    stored: list[StoredMail] = []
    for number, letter in enumerate(letters):
        ours = conversation.messages[number].team_member is not None
        answered = any(later.team_member for later in conversation.messages[number + 1 :])
        fresh = start - letter.when < timedelta(days=2) and conversation.status == "open"
        stored.append(
            StoredMail(
                account=account,
                folder="Sent" if ours else "INBOX",
                when=letter.when,
                seen=ours or answered or not fresh,
                answered=answered and not ours,
                raw=write(letter) if ours else received(letter, account),
            )
        )
    return stored


def times(conversation: Conversation, start: datetime) -> list[datetime]:
    """When each message was written, a little beside the round numbers of the files.

    Pauses are shortened where they would lead past the demo's start.
    """
    chance = random.Random(conversation.id)
    days = conversation.days_ago or 0
    age = timedelta(days=days) + timedelta(minutes=chance.uniform(-80, 80) if days > 1 else 0)
    first = start - max(age, _YOUNGEST)
    pauses = [
        timedelta(hours=message.hours_later or 0) * chance.uniform(0.93, 1.07) for message in conversation.messages[1:]
    ]
    room = start - _YOUNGEST - first
    total = sum(pauses, timedelta())
    share = min(1.0, room / total) if total else 1.0
    moments = [first]
    for pause in pauses:
        moments.append(moments[-1] + pause * share)
    return [moment.replace(microsecond=0) for moment in moments]


def quoted_from(letter: Letter) -> Quoted:
    """What a reply to the letter quotes."""
    return Quoted(_shown(letter.sender), letter.to, letter.subject, letter.when, letter.body.rstrip())


def write(letter: Letter) -> bytes:
    """The message, with CRLF line ends, as its writer's program hands it over."""
    charset = charset_for(letter.client, letter.body + letter.subject + letter.sender.name, letter.language)
    content = _content(letter, charset)
    lines = [
        f"Date: {format_datetime(letter.when)}",
        f"From: {_address(letter.sender.name, letter.sender.address, charset)}",
        f"To: {_addresses([letter.to], charset)}",
    ]
    if letter.cc:
        lines.append(f"Cc: {_addresses(letter.cc, charset)}")
    lines.append(f"Subject: {encoded_word(letter.subject, charset, 'Subject')}")
    lines.append(f"Message-ID: {letter.message_id}")
    if letter.in_reply_to:
        lines.append(f"In-Reply-To: {letter.in_reply_to}")
        if letter.client.sends_references:
            lines.append("References: " + "\r\n ".join(letter.references))
    lines += _extra_headers(letter)
    return "\r\n".join(lines).encode() + b"\r\n" + content.as_bytes(policy=SMTP)


def received(letter: Letter, account: str) -> bytes:
    """The message as it lies in the account's INBOX, with the traces of its way there (RFC 5321, 4.4)."""
    domain = letter.sender.address.rsplit("@", 1)[1]
    mark = hashlib.sha256(letter.message_id.encode()).hexdigest()
    host = f"192.0.2.{int(mark[:2], 16) or 1}"
    arrived = letter.when + timedelta(seconds=1 + int(mark[2], 16))
    head = (
        f"Return-Path: <{letter.sender.address}>\r\n"
        f"Delivered-To: {account}\r\n"
        f"Received: from mail.{domain} (mail.{domain} [{host}])\r\n"
        f"\tby mx.northwind.example with ESMTPS id {mark[3:13]}\r\n"
        f"\tfor <{account}>; {format_datetime(arrived)}\r\n"
    )
    return head.encode() + write(letter)


def new_message_id(client: MailClient, address: str, seed: str, when: datetime) -> str:
    """A Message-ID in the client's manner, always the same for the same seed."""
    domain = address.rsplit("@", 1)[1]
    digest = hashlib.sha256(f"{address}\n{seed}".encode()).hexdigest()
    if client.message_ids == "web":
        return f"<CA{digest[:10]}+{digest[10:34]}@mail.{domain}>"
    if client.message_ids == "exchange":
        return f"<{digest[:12].upper()}{digest[12:28].upper()}@{digest[28:36].upper()}.{domain}>"
    if client.message_ids == "plain":
        return f"<{when:%Y%m%d%H%M%S}.{digest[:8]}@{domain}>"
    groups = (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])
    return f"<{'-'.join(groups)}@{domain}>"


def _content(letter: Letter, charset: str) -> EmailMessage:
    """The MIME body: text, with HTML beside it and files below it where there are any."""
    client = letter.client
    body = EmailMessage(policy=SMTP)
    plain = charset == "us-ascii"
    is_flowed = client.flowed and not letter.quoted
    text = flowed(letter.body) if is_flowed else letter.body
    encoding = "7bit" if plain or charset == "iso-2022-jp" else client.encoding
    if encoding == "7bit" and max(map(len, text.split("\n"))) > 900:
        encoding = "quoted-printable"
    params = {"format": "flowed"} if is_flowed else None
    body.set_content(text, charset=charset, cte=encoding, params=params)
    alternative = letter.html
    if alternative is None and client.writes_html:
        below = quote(client, letter.language, letter.quoted) if letter.quoted else ""
        alternative = html_of(client, replace(letter, quoted=None).body.rstrip(), below)
    if alternative is not None:
        markup = "utf-8" if charset == "iso-2022-jp" else charset
        alternative = alternative.encode(markup, "xmlcharrefreplace").decode(markup)
        body.add_alternative(alternative, subtype="html", charset=markup, cte="quoted-printable")
    for file in letter.attachments:
        main, _, sub = file.content_type.partition("/")
        body.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return body


def _extra_headers(letter: Letter) -> list[str]:
    lines: list[str] = []
    domain = letter.sender.address.rsplit("@", 1)[1]
    if letter.client.agent:
        lines.append(f"{letter.client.agent[0]}: {letter.client.agent[1]}")
    if letter.subject.lower().startswith(_AUTOMATIC_REPLIES):
        lines += ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"]
    elif letter.html is not None and is_automatic(letter.sender.address):
        lines += ["Precedence: bulk", f"List-Unsubscribe: <mailto:unsubscribe@{domain}>"]
    if letter.client.name == "office":
        lines += [
            "Thread-Topic: " + encoded_word(letter.subject, "utf-8", "Thread-Topic"),
            "Importance: normal",
        ]
    return lines


def _subject(conversation: Conversation, message: CorpusMessage, client: MailClient, previous: Letter | None) -> str:
    if message.subject is not None:
        return message.subject
    if previous is None:
        return conversation.subject
    return reply_subject(client, mail_language(conversation), previous.subject)


def mail_language(conversation: Conversation) -> str:
    """The language that mail programs go by: Norwegian is one to them."""
    return "no" if conversation.language == "nb" else conversation.language


def is_automatic(address: str) -> bool:
    """Whether a machine writes from this address: nobody reads answers there."""
    local = address.lower().partition("@")[0]
    return local in _AUTOMATIC or local.startswith(("noreply", "no-reply"))


def _team_name(colleague: str, mailbox: DemoMailbox, number: int) -> str:
    if mailbox.owner:
        return PEOPLE[colleague].name
    return f"{PEOPLE[colleague].first_name} ({mailbox.sender_name})" if number % 3 else PEOPLE[colleague].name


def _to_mailbox(mailbox: DemoMailbox, sender: Correspondent, number: int) -> str:
    """How people address us: bare, by name, or in capitals as an address book kept it."""
    style = (len(sender.address) + number) % 4
    if style == 0:
        return mailbox.address
    if style == 1:
        return f"Northwind Bikes {mailbox.name} <{mailbox.address}>"
    if style == 2:
        return f"{mailbox.address} <{mailbox.address}>"
    return f"Northwind <{mailbox.address}>"


def _shown(person: Correspondent) -> str:
    return f"{person.name} <{person.address}>"


def _address(name: str, address: str, charset: str) -> str:
    if name.isascii():
        return formataddr((name, address))
    return f"{encoded_word(name, charset, 'From')} <{address}>"


def _addresses(listed: Sequence[str], charset: str) -> str:
    written: list[str] = []
    for each in listed:
        name, bracket, rest = each.rpartition("<")
        written.append(_address(name.strip().strip('"'), rest.rstrip("> "), charset) if bracket else each.strip())
    return ",\r\n ".join(written)
