"""What the rail shows: me, my work, the mailboxes with their numbers, notifications. Pure, over the view."""

from __future__ import annotations

from typing import TypedDict

from backend.mailboxes.contracts import Mailbox, MailboxCounts, WorkCounts
from backend.notifications.contracts import Notification
from backend.people.contracts import Me
from backend.views.contracts import ViewCount
from frontend.faces import COLOURS, Face, away_until, first_name, person_face
from frontend.faces import NOBODY as NO_FACE
from frontend.view import View


class MeView(TypedDict):
    id: int
    name: str
    email: str
    role: str
    admin: bool
    face: Face
    away: str
    theme: str
    locale: str
    time_zone: str


class MailboxView(TypedDict):
    """A mailbox in the rail. `trouble` is a sentence when its account needs somebody."""

    id: int
    kind: str
    name: str
    address: str
    dot: int
    unread: int
    comments: int
    open: int
    unassigned: int
    mine: int
    trouble: str
    status: str
    progress: str


class WorkView(TypedDict):
    mine: int
    mentions: int
    reminders: int
    drafts: int
    outbox: int
    shared: int
    shared_unread: int


class ViewLink(TypedDict):
    """A saved view in the rail. `open` is what is open in it, 99+ for very many; empty for nothing."""

    id: int
    name: str
    open: str
    shared: bool


class NoticeView(TypedDict):
    """A notification: `lead` in weight, then the rest of the sentence, and the subject below."""

    id: int
    kind: str
    face: Face
    lead: str
    rest: str
    subject: str
    text: str
    mailbox: str
    mailbox_id: int
    conversation_id: int
    spot: str
    href: str
    at: str
    read: bool


class ToastView(TypedDict):
    id: int
    text: str
    tone: str
    action: str
    ref: int
    label: str


NOBODY = MeView(
    id=0, name="", email="", role="member", admin=False, face=NO_FACE, away="", theme="system", locale="", time_zone=""
)
NO_MAILBOX = MailboxView(
    id=0,
    kind="",
    name="",
    address="",
    dot=0,
    unread=0,
    comments=0,
    open=0,
    unassigned=0,
    mine=0,
    trouble="",
    status="",
    progress="",
)
NO_WORK = WorkView(mine=0, mentions=0, reminders=0, drafts=0, outbox=0, shared=0, shared_unread=0)
NO_TOAST = ToastView(id=0, text="", tone="", action="", ref=0, label="")


def paint_me(me: Me) -> MeView:
    return MeView(
        id=me.person.id,
        name=me.person.name,
        email=me.person.email,
        role=me.person.role,
        admin=me.person.role in ("owner", "admin"),
        face=person_face(me.person),
        away=away_until(me.person),
        theme=me.theme,
        locale=me.locale,
        time_zone=me.time_zone,
    )


def paint_work(counts: WorkCounts) -> WorkView:
    return WorkView(
        mine=counts.mine,
        mentions=counts.mentions,
        reminders=counts.reminders,
        drafts=counts.drafts,
        outbox=counts.outbox,
        shared=counts.shared,
        shared_unread=counts.shared_unread,
    )


MOST_SHOWN = 99


def paint_views(view: View, counts: list[ViewCount]) -> list[ViewLink]:
    """My views and those shared with me, by name."""
    numbers = {each.view_id: each.open for each in counts}
    return [
        ViewLink(id=each.id, name=each.name, open=_capped(numbers.get(each.id, 0)), shared=each.shared != "nobody")
        for each in sorted(view.views.values(), key=lambda each: (each.name.casefold(), each.id))
    ]


def _capped(number: int) -> str:
    return "" if not number else f"{MOST_SHOWN}+" if number > MOST_SHOWN else str(number)


def paint_mailboxes(view: View, counts: WorkCounts | None) -> tuple[list[MailboxView], list[MailboxView]]:
    """My own mailboxes, and the group mailboxes, in the order in which they were made."""
    numbers = {each.mailbox_id: each for each in counts.mailboxes} if counts else {}
    ordered = sorted(view.mailboxes.values(), key=lambda each: each.id)
    painted = [(each.kind, _mailbox(each, numbers.get(each.id))) for each in ordered]
    return (
        [each for kind, each in painted if kind == "personal"],
        [each for kind, each in painted if kind == "group"],
    )


def _mailbox(mailbox: Mailbox, counts: MailboxCounts | None) -> MailboxView:
    account = mailbox.account
    status, progress = "live", ""
    if account is not None:
        status = account.status
        if account.status in ("connecting", "syncing"):
            progress = f"{account.done:,} of {account.total:,} messages" if account.total else "Connecting"
    return MailboxView(
        id=mailbox.id,
        kind=mailbox.kind,
        name=mailbox.name,
        address=mailbox.address,
        dot=mailbox.colour % COLOURS,
        unread=counts.unread if counts else 0,
        comments=counts.unread_comments if counts else 0,
        open=counts.open if counts else 0,
        unassigned=counts.unassigned if counts else 0,
        mine=counts.mine if counts else 0,
        trouble=_trouble(mailbox),
        status=status,
        progress=progress,
    )


def _trouble(mailbox: Mailbox) -> str:
    account = mailbox.account
    if account is None or account.status not in ("needs_you", "retrying"):
        return ""
    return " ".join(part for part in (account.reason, account.remedy) if part)


def paint_notices(view: View) -> list[NoticeView]:
    return [_notice(view, each) for each in view.notifications]


def _notice(view: View, notice: Notification) -> NoticeView:
    actor = view.people.get(notice.actor_id or 0)
    lead, rest = notice.words(first_name(actor.name) if actor else "")
    mailbox = view.mailboxes.get(notice.mailbox_id)
    return NoticeView(
        id=notice.id,
        kind=notice.kind,
        face=person_face(actor),
        lead=lead,
        rest=rest,
        subject=notice.subject or "(no subject)",
        text=notice.text,
        mailbox=mailbox.name if mailbox else "shared with you",
        mailbox_id=notice.mailbox_id,
        conversation_id=notice.conversation_id,
        spot=notice.spot,
        href=notice.path,
        at=notice.created_at.isoformat(),
        read=notice.read,
    )
