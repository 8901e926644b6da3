"""The demo's conversations: what a file may hold, and reading them with errors that name the place.

One YAML file holds a list of conversations; its folder says which mailbox they belong to, and a file named
``live.yaml`` holds those that arrive while the demo runs. ``docs/demo.md`` shows the form.
"""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import yaml

from backend.demo.people import MAILBOXES, PEOPLE

FOLDER = Path(__file__).parent / "conversations"

AttachmentKind = Literal["photo", "pdf", "csv", "txt", "ics", "vcf"]
_ADDRESS = re.compile(r"[^@\s<>\"]+@[a-z0-9.-]+\.(example|example\.(org|com|net))", re.IGNORECASE)


class CorpusError(Exception):
    """A file of conversations cannot be used; the message names file, conversation and what is wrong."""


class Correspondent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody outside Northwind."""

    name: str
    address: str


class Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    kind: AttachmentKind


class CorpusMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"sender": "from"}):
    """One mail. ``sender`` is ``customer``, the key of one of the team, or a third party."""

    sender: str | Correspondent
    text: str
    subject: str | None = None
    cc: list[str] = []
    quote: bool = False
    signature: str | None = None
    html: str | None = None
    attachments: list[Attachment] = []
    hours_later: float | None = None

    @property
    def team_member(self) -> str | None:
        """The key of the colleague who wrote it, or None when it came from outside."""
        return self.sender if isinstance(self.sender, str) and self.sender in PEOPLE else None


class CorpusComment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Internal talk, written after message number ``after`` (counted from 1)."""

    by: str
    after: int
    text: str


class Conversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole exchange. ``days_ago`` is when it began, before the demo's start; None when it arrives live."""

    id: str
    subject: str
    language: str
    customer: Correspondent
    messages: list[CorpusMessage]
    days_ago: float | None = None
    comments: list[CorpusComment] = []
    assignee: str | None = None
    status: Literal["open", "done"] = "open"
    answers: list[str] = []
    mailbox: str = ""

    @property
    def live(self) -> bool:
        return self.days_ago is None


if TYPE_CHECKING:
    _QuickestLoader = yaml.SafeLoader
else:
    _QuickestLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # thirty times as quick, where it was built


class _Loader(_QuickestLoader):
    """YAML whose words stay words: Norwegian is ``no``, and a date is what was written."""


_SURPRISING = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _SURPRISING]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(?:0|[1-9][0-9]*)$"), list("0123456789"))


def load_yaml(path: Path) -> Any:
    """Reads one YAML file of the demo. Raises `CorpusError` with the line when it is not YAML."""
    try:
        return yaml.load(path.read_text("utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path.name}: {error}") from error


def load_file(path: Path, mailbox: str) -> list[Conversation]:
    """The conversations of one file, checked. Raises `CorpusError`."""
    listed = load_yaml(path)
    if not isinstance(listed, list):
        raise CorpusError(f"{path.name}: a list of conversations is expected")
    conversations: list[Conversation] = []
    for number, item in enumerate(listed, start=1):
        name = item.get("id", f"number {number}") if isinstance(item, dict) else f"number {number}"
        try:
            conversation = msgspec.convert(item, Conversation)
        except msgspec.ValidationError as error:
            raise CorpusError(f"{mailbox}/{path.name}, {name}: {error}") from error
        faults = list(check_conversation(conversation, live=path.name == "live.yaml"))
        if faults:
            raise CorpusError(f"{mailbox}/{path.name}, {name}: {'; '.join(faults)}")
        conversations.append(msgspec.structs.replace(conversation, mailbox=mailbox))
    return conversations


def check_conversation(conversation: Conversation, *, live: bool) -> list[str]:
    """What the form alone cannot say, as sentences; an empty list when all is well."""
    faults: list[str] = []
    if not conversation.messages:
        faults.append("there is no message")
    if live and not conversation.live:
        faults.append("a live conversation has no days_ago")
    if not live and conversation.days_ago is None:
        faults.append("days_ago is missing")
    people = [conversation.customer]
    for number, message in enumerate(conversation.messages, start=1):
        if isinstance(message.sender, Correspondent):
            people.append(message.sender)
        elif message.sender != "customer" and message.sender not in PEOPLE:
            faults.append(f"message {number}: nobody is called {message.sender!r}")
        if number > 1 and message.hours_later is None:
            faults.append(f"message {number}: hours_later is missing")
        if not message.text.strip():
            faults.append(f"message {number}: there is no text")
        faults += [
            f"message {number}: cc {cc!r} has no .example address" for cc in message.cc if not _ADDRESS.search(cc)
        ]
    faults += [
        f"{person.address!r} is not an .example address" for person in people if not _ADDRESS.fullmatch(person.address)
    ]
    for comment in conversation.comments:
        if comment.by not in PEOPLE:
            faults.append(f"a comment by {comment.by!r}, who does not work here")
        if not 1 <= comment.after <= len(conversation.messages):
            faults.append(f"a comment after message {comment.after}, which does not exist")
    if conversation.assignee is not None and conversation.assignee not in PEOPLE:
        faults.append(f"assigned to {conversation.assignee!r}, who does not work here")
    return faults


def load_all(folder: Path = FOLDER) -> list[Conversation]:
    """All conversations below the folder, those of `live.yaml` included. Raises `CorpusError`."""
    conversations: list[Conversation] = []
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*/*.yaml")):
        mailbox = path.parent.name
        if mailbox not in MAILBOXES:
            raise CorpusError(f"{mailbox}/{path.name}: there is no mailbox {mailbox!r}")
        for conversation in load_file(path, mailbox):
            where = f"{mailbox}/{path.name}"
            if conversation.id in seen:
                raise CorpusError(f"{conversation.id} is in {seen[conversation.id]} and in {where}")
            seen[conversation.id] = where
            conversations.append(conversation)
    return conversations


@functools.cache
def corpus() -> tuple[Conversation, ...]:
    """The shipped conversations, read once. Raises `CorpusError`."""
    return tuple(load_all())
