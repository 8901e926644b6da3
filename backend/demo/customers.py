"""The simulated customers: what they write, whom they write to, and what they say when they are answered."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path

from backend.demo.clients import Quoted, client_of, reply_subject, unwrapped
from backend.demo.corpus import Conversation, Correspondent, load_yaml
from backend.demo.mail import Letter, conversation_letters, is_automatic, mail_language, new_message_id
from backend.demo.memory import Memory

_ANSWERS = Path(__file__).parent / "answers.yaml"
_PREFIX = re.compile(r"^\s*((re|aw|sv|odp|r|antw|fwd|wg)\s*:\s*)+", re.IGNORECASE)
_QUOTED_FROM = re.compile(r"^(>|-- $|_{10,}|-{5,}|On .+ wrote:|Am .+ schrieb|Em .+ escreveu|Le .+ a écrit)")
_FILE = re.compile(r"https?://[^\s\"'<>()]+/shared/[\w-]+")
_FIRST = ("support-live-23", "sales-live-15", "support-live-02")
"""Who writes first: short, lively, and for different people to answer."""
_GENERAL_ANSWERS = 1
"""How often somebody whose own words are used up still answers; then they have said everything."""


@dataclass(frozen=True)
class Incoming:
    """A mail that a customer got. ``text`` is its own part, without what it quotes."""

    recipient: str
    sender: str
    sender_address: str
    subject: str
    message_id: str
    references: tuple[str, ...]
    when: datetime
    text: str
    body: str
    automatic: bool
    invitation: str = ""
    """The calendar of one that invites to a meeting."""
    files: tuple[str, ...] = ()
    """The addresses of files that it links to."""


def read_incoming(raw: bytes, now: datetime) -> Incoming | None:
    """What a customer sees of a mail, or None when it cannot be answered."""
    message = message_from_bytes(raw, policy=default)
    if not isinstance(message, EmailMessage):
        return None
    reply_to = message["Reply-To"] or message["From"]
    if not isinstance(reply_to, AddressHeader) or not reply_to.addresses:
        return None
    body = message.get_body(("plain", "html"))
    text = str(body.get_content()).replace("\r\n", "\n") if body else ""
    identifier = str(message["Message-ID"] or "").strip()
    return Incoming(
        recipient=parseaddr(str(message["Delivered-To"] or message["To"] or ""))[1].lower(),
        sender=str(message["From"]),
        sender_address=reply_to.addresses[0].addr_spec,
        subject=" ".join(str(message["Subject"] or "").split()),
        message_id=identifier,
        references=tuple(re.findall(r"<[^<>\s]+>", str(message["References"] or message["In-Reply-To"] or ""))),
        when=now,
        text=own_part(text),
        body=text.strip(),
        automatic=str(message["Auto-Submitted"] or "no").lower() != "no" or not identifier,
        invitation=_invitation(message),
        files=_files(message),
    )


def _invitation(message: EmailMessage) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/calendar" and part.get_param("method") == "REQUEST":
            return (part.get_payload(decode=True) or b"").decode()  # pyright: ignore[reportAttributeAccessIssue]
    return ""


def _files(message: EmailMessage) -> tuple[str, ...]:
    texts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return tuple(dict.fromkeys(found for text in texts for found in _FILE.findall(str(text))))


def own_part(text: str) -> str:
    """The part of a plain text that its writer wrote, above the quote."""
    rows: list[str] = []
    for row in text.split("\n"):
        if _QUOTED_FROM.match(row):
            break
        rows.append(row)
    return "\n".join(rows).strip()


class Customers:
    """Everybody outside Northwind, with what they have said already."""

    def __init__(self, conversations: Iterable[Conversation], memory: Memory, chance: random.Random) -> None:
        self._memory = memory
        self._chance = chance
        self._general = load_yaml(_ANSWERS)
        self._by_address: dict[str, list[Conversation]] = {}
        listed = list(conversations)
        for conversation in listed:
            people = [
                conversation.customer,
                *(m.sender for m in conversation.messages if isinstance(m.sender, Correspondent)),
            ]
            for address in {person.address.lower() for person in people}:
                self._by_address.setdefault(address, []).append(conversation)
        self._live = [conversation for conversation in listed if conversation.live]
        random.Random(7).shuffle(self._live)
        first = [each for key in _FIRST for each in self._live if each.id == key]
        self._live = [*first, *(each for each in _in_turns(self._live) if each not in first)]

    def next_to_write(self) -> Conversation | None:
        """The next conversation that has not begun yet; None when all have."""
        begun = self._memory.table("begun")
        return next((each for each in self._live if each.id not in begun), None)

    def begin(self, conversation: Conversation, now: datetime) -> Letter:
        """The first mail of a conversation, written now."""
        self._memory.table("begun")[conversation.id] = now.isoformat()
        self._memory.save()
        return conversation_letters(conversation, [now] * len(conversation.messages))[0]

    def answer(self, incoming: Incoming, now: datetime) -> Letter | None:
        """What the recipient answers, or None when they have nothing to say."""
        if incoming.automatic or is_automatic(incoming.recipient):
            return None
        conversation = self._conversation(incoming)
        text = self._words(conversation, incoming)
        if text is None:
            return None
        person = self._person(conversation, incoming)
        client = client_of(person.address)
        language = mail_language(conversation) if conversation else "en"
        seed = f"{incoming.message_id}/answer"
        return Letter(
            sender=person,
            client=client,
            to=incoming.sender_address,
            subject=reply_subject(client, language, incoming.subject),
            text=text if client.wraps else unwrapped(text),
            when=now,
            message_id=new_message_id(client, person.address, seed, now),
            language=language,
            quoted=Quoted(incoming.sender, person.address, incoming.subject, incoming.when, incoming.body),
            in_reply_to=incoming.message_id,
            references=[*incoming.references, incoming.message_id],
        )

    def nudge(self, conversation: Conversation, first: Letter, now: datetime) -> Letter | None:
        """A customer whose mail nobody answered asks whether it arrived; None when they do not."""
        if conversation.id in self._memory.table("nudged"):
            return None
        text = self._unused(self._general["waiting"].get(mail_language(conversation), []))
        if text is None:
            return None
        self._memory.table("nudged")[conversation.id] = now.isoformat()
        self._memory.save()
        return Letter(
            sender=first.sender, client=first.client, to=first.to, language=first.language,
            subject=reply_subject(first.client, first.language, first.subject), text=text, when=now,
            message_id=new_message_id(first.client, first.sender.address, f"{conversation.id}/again", now),
            in_reply_to=first.message_id, references=[first.message_id],
        )  # fmt: skip

    def waiting(self) -> list[tuple[Conversation, datetime]]:
        """The live conversations whose customer has written and never been answered, with when they wrote."""
        begun, answered = self._memory.table("begun"), self._memory.table("heard")
        return [
            (each, datetime.fromisoformat(begun[each.id]))
            for each in self._live
            if each.id in begun and each.id not in answered
        ]

    def answered(self, conversation: str) -> int:
        """How many mails of the team this conversation's customer has got since the demo began."""
        return self._memory.table("heard").get(conversation, 0)

    def has_said_all(self, conversation: Conversation) -> bool:
        """Whether the customer has used up the words written for this conversation."""
        return self.answered(conversation.id) >= len(conversation.answers)

    def _conversation(self, incoming: Incoming) -> Conversation | None:
        candidates = self._by_address.get(incoming.recipient, [])
        subject = _PREFIX.sub("", incoming.subject).casefold()
        same = [each for each in candidates if _PREFIX.sub("", each.subject).casefold() == subject]
        return (same or candidates or [None])[0]

    def _words(self, conversation: Conversation | None, incoming: Incoming) -> str | None:
        if conversation is None:
            return self._unused(self._general["surprised"])
        heard = self._memory.table("heard")
        count = heard.get(conversation.id, 0)
        heard[conversation.id] = count + 1
        self._memory.save()
        if incoming.recipient == conversation.customer.address.lower() and count < len(conversation.answers):
            return conversation.answers[count]
        if count >= len(conversation.answers) + _GENERAL_ANSWERS:
            return None
        kinds = self._general.get(mail_language(conversation), {})
        if "?" in incoming.text or "？" in incoming.text:
            return self._unused(kinds.get("asked", []))
        return self._unused(kinds.get("told", []))

    def _unused(self, texts: list[str]) -> str | None:
        """One of the texts that nobody has said yet."""
        said = self._memory.table("said")
        left = [text for text in texts if text not in said]
        if not left:
            return None
        text = self._chance.choice(left)
        said[text] = True
        self._memory.save()
        return text

    def _person(self, conversation: Conversation | None, incoming: Incoming) -> Correspondent:
        people = [conversation.customer] if conversation else []
        people += [
            m.sender for m in (conversation.messages if conversation else []) if isinstance(m.sender, Correspondent)
        ]
        for person in people:
            if person.address.lower() == incoming.recipient:
                return person
        local = incoming.recipient.partition("@")[0]
        return Correspondent(name=re.sub(r"[._-]+", " ", local).title(), address=incoming.recipient)


def _in_turns(conversations: list[Conversation]) -> list[Conversation]:
    """The same conversations, the mailboxes taking turns as evenly as their numbers allow."""
    numbers: dict[str, int] = {}
    totals: dict[str, int] = {}
    for each in conversations:
        totals[each.mailbox] = totals.get(each.mailbox, 0) + 1
    placed: list[tuple[float, Conversation]] = []
    for each in conversations:
        number = numbers[each.mailbox] = numbers.get(each.mailbox, 0) + 1
        placed.append(((number - 0.5) / totals[each.mailbox], each))
    return [each for _, each in sorted(placed, key=lambda pair: pair[0])]
