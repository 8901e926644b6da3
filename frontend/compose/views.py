"""What a composer shows, and how a draft becomes that and back."""

from __future__ import annotations

from typing import Any, TypedDict

import msgspec

from backend.compose.contracts import Draft, DraftKind, SaveDraft
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import Mailbox
from backend.meetings.contracts import DraftMeeting
from frontend.faces import Face
from frontend.inbox.came import CameView
from frontend.view import View

ANSWERS = ("reply", "reply_all")
TITLES = {"reply": "Reply", "reply_all": "Reply to all", "forward": "Forward", "new": "New mail"}


class AddressView(TypedDict):
    name: str
    address: str


class SuggestionView(TypedDict):
    """An address that fits what somebody typed: `asked`."""

    name: str
    address: str
    face: Face
    asked: str


class ComposerView(TypedDict):
    """What a composer begins with. `id` 0: none. `sender`: as whom it will be sent; `copy_to`: who gets a copy of it
    unseen, by the settings of the mailbox. Both follow these. `inside`: the domains whose addresses are ours.
    `version`: which it began with. `together`: several write in it, on a line of its own
    (assets/widgets/compose/together.js)."""

    id: int
    key: str
    conversation_id: int
    kind: str
    title: str
    mailbox_id: int
    mailbox: str
    to: list[AddressView]
    cc: list[AddressView]
    bcc: list[AddressView]
    subject: str
    text: str
    html: str | None
    quoted: bool
    signature: str
    sender: str
    copy_to: str
    inside: list[str]
    together: bool
    version: int


class ChipView(TypedDict):
    id: int
    name: str
    size: str
    in_text: bool


class MeetingView(TypedDict):
    """The meeting that a draft invites to, or (`cancel`) calls off. `day` and `start` are by the clocks of its zone."""

    method: str
    title: str
    day: str
    start: str
    minutes: int
    zone: str
    place: str
    url: str
    notes: str


class StatusView(TypedDict):
    """The line below the text. `theirs`: what somebody else saved meanwhile; `answered`: someone was faster, and `came`
    is what they wrote; `taken`: a colleague writes on at this draft, or it is gone, so the composer says what it holds
    and closes; `together`: somebody has joined since it was opened.

    `serial` is the composer's number of the save that `saved` speaks of, and `version` that of the draft since: a later
    save is still on its way.
    """

    saved: str
    serial: str
    version: str
    error: str
    theirs: str
    answered: str
    came: list[CameView]
    taken: str
    together: bool


class AskView(TypedDict):
    """A colleague's draft that stands where one wanted to reply; `kind` and `message_id` are what one wanted."""

    draft_id: int
    author: int
    who: str
    face: Face
    kind: str
    message_id: int


NONE = ComposerView(
    id=0, key="", conversation_id=0, kind="", title="", mailbox_id=0, mailbox="", to=[], cc=[], bcc=[], subject="",
    text="", html="", quoted=False, signature="none", sender="", copy_to="", inside=[], together=False, version=0,
)  # fmt: skip
QUIET = StatusView(
    saved="", serial="", version="", error="", theirs="", answered="", came=[], taken="", together=False,
)  # fmt: skip


def sender_words(view: View, mailbox: Mailbox | None) -> str:
    """As whom this person sends from the mailbox."""
    if mailbox is None:
        return ""
    me = view.me.person.name
    if mailbox.kind == "personal":
        name = mailbox.default_from_name or me
    else:
        ours = mailbox.default_from_name or mailbox.name
        name = {"mailbox": ours, "person": f"{me}, {ours}", "on_behalf": f"{me} on behalf of {ours}"}[mailbox.send_as]
    return f"{name} <{mailbox.address}>"


def copy_address(mailbox: Mailbox | None, kind: DraftKind) -> str:
    """Who gets a copy of a mail of this kind without being named in it."""
    return mailbox.reply_bcc if mailbox is not None and kind in ("reply", "reply_all") else ""


def painted_meeting(meeting: DraftMeeting) -> MeetingView:
    details = meeting.details
    return MeetingView(
        method=meeting.method,
        title=details.title,
        day=details.day.isoformat(),
        start=f"{details.start:%H:%M}",
        minutes=details.minutes,
        zone=details.zone,
        place=details.place,
        url=details.url,
        notes=details.notes,
    )


def painted(given: list[MailAddress]) -> list[AddressView]:
    return [AddressView(name=each.name, address=each.address) for each in given]


def typed(version: int, fields: dict[str, Any]) -> SaveDraft:
    """What a composer sent up."""

    def people(name: str) -> list[MailAddress]:
        return [
            MailAddress(name=str(each.get("name") or ""), address=str(each.get("address") or ""))
            for each in fields.get(name) or []
        ]

    return SaveDraft(
        version=version,
        to=people("to"),
        cc=people("cc"),
        bcc=people("bcc"),
        subject=str(fields.get("subject") or ""),
        text=str(fields.get("text") or ""),
        html=None if fields.get("html") is None else str(fields["html"]),
        quoted=bool(fields.get("quoted")),
    )


def as_saved(draft: Draft) -> SaveDraft:
    return SaveDraft(
        version=draft.version,
        to=draft.to,
        cc=draft.cc,
        bcc=draft.bcc,
        subject=draft.subject,
        text=draft.text,
        html=draft.html,
        quoted=draft.quoted,
    )


def content(draft: SaveDraft) -> bytes:
    """A draft without its version: equal when nothing needs saving. The text of HTML is the server's to tell."""
    text = draft.text if draft.html is None else ""
    return msgspec.json.encode(msgspec.structs.replace(draft, version=0, text=text))
