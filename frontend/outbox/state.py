"""Mails that have not left: what happened, and what a person can do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import msgspec
import reflex as rx

from backend.compose.contracts import Draft, Outgoing, RescheduleOutgoing, ResolveOutgoing
from frontend.api import ApiError
from frontend.compose.state import Compose
from frontend.faces import Face, address_face, first_name, person_face, shown_name
from frontend.inbox.came import CameView, paint_came
from frontend.inbox.rows import Tag
from frontend.inbox.unsent import CHOICES, OUTGOING_TAGS, needs_showing
from frontend.session import Session
from frontend.view import View

CHOICE_NAMES = {"send_anyway": "send_again", "send_now": "send_again"}
"""Choices that the API calls otherwise."""
ON_ITS_WAY = ("queued", "sending", "scheduled")


class OutgoingView(TypedDict):
    """A mail in the Outbox."""

    id: int
    conversation_id: int
    mailbox_id: int
    mailbox: str
    dot: int
    author: str
    tag: Tag
    face: Face
    to_whom: str
    subject: str
    reason: str
    remedy: str
    server_words: str
    refused: list[str]
    at: str
    leaves_at: str
    attempts: str
    choices: list[str]
    came: list[CameView]


class Outbox(Session):
    """The Outbox page. `_moving` is the mail that gets another moment."""

    _moving: int = 0
    needs_you: list[OutgoingView] = []
    on_its_way: list[OutgoingView] = []
    fetched: bool = False

    @rx.event
    async def arrive(self) -> AsyncIterator[Any]:
        """On the page's load."""
        if self._view is None:
            return
        try:
            await self._fetch()
        except ApiError as refused:
            yield self.fault(refused)

    async def catch_up(self) -> None:
        """Mails move by themselves: look again while the page is open."""
        if self.fetched and self.router.url.path.startswith("/outbox"):
            await self._fetch()

    async def _fetch(self) -> None:
        view = self.seen()
        mails = [each for each in await self.api().get("/outbox", list[Outgoing]) if needs_showing(each)]
        painted = [_paint(view, each) for each in mails]
        self.needs_you = [each for each, mail in zip(painted, mails, strict=True) if mail.state not in ON_ITS_WAY]
        self.on_its_way = [each for each, mail in zip(painted, mails, strict=True) if mail.state in ON_ITS_WAY]
        self.fetched = True

    @rx.event
    async def resolve(self, outgoing_id: int, choice: str) -> AsyncIterator[Any]:
        """A person's choice for a mail that has not left. "edit" gives its text back as a draft."""
        try:
            wanted = msgspec.convert({"choice": CHOICE_NAMES.get(choice, choice)}, ResolveOutgoing)
            if choice == "edit":
                draft = await self.api().post(f"/outbox/{outgoing_id}/resolve", wanted, Draft)
                compose = await self.get_state(Compose)
                compose.reopen(draft)
                if draft.conversation_id is not None and self.router.url.path != "/":
                    yield rx.redirect(f"/?mailbox={draft.mailbox_id}&conversation={draft.conversation_id}")
                yield rx.call_script("tandem.focusComposer()")
            else:
                await self.api().post(f"/outbox/{outgoing_id}/resolve", wanted)
            if self.fetched:
                await self._fetch()
        except msgspec.ValidationError:
            self.say("There is no such choice.", tone="red")
        except ApiError as refused:
            yield self.fault(refused)

    @rx.event
    async def choose_moment(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Another moment for a scheduled mail, as it was typed: the browser knows which one that is."""
        self._moving = int(form.get("outgoing_id") or 0)
        typed = json.dumps(str(form.get("typed") or ""))
        yield rx.call_script(f"tandem.typedMoment({typed})?.toISOString() ?? ''", callback=Outbox.reschedule)

    @rx.event
    async def reschedule(self, iso: str) -> AsyncIterator[Any]:
        """Let a scheduled mail leave at this moment instead."""
        if not iso:
            self.say("Choose a day and a time.", tone="red")
            return
        try:
            wanted = msgspec.convert({"send_at": iso}, RescheduleOutgoing)
            await self.api().put(f"/outbox/{self._moving}/schedule", wanted, Outgoing)
            await self._fetch()
            self.say("It leaves at the time that you chose")
        except msgspec.ValidationError:
            self.say("Choose a day and a time.", tone="red")
        except ApiError as refused:
            yield self.fault(refused)


def _paint(view: View, mail: Outgoing) -> OutgoingView:
    mailbox = view.mailboxes.get(mail.mailbox_id)
    author = view.people.get(mail.author_id)
    first = mail.to[0] if mail.to else None
    more = len(mail.to) - 1
    return OutgoingView(
        id=mail.id,
        conversation_id=mail.conversation_id,
        mailbox_id=mail.mailbox_id,
        mailbox=mailbox.name if mailbox else "",
        dot=mailbox.colour % 10 if mailbox else 9,
        author="you" if author and author.id == view.me.person.id else first_name(author.name) if author else "",
        tag=OUTGOING_TAGS.get(mail.state, Tag(text=mail.state.capitalize(), tone="accent")),
        face=address_face(first) if first else person_face(None),
        to_whom=(shown_name(first) if first else "Nobody") + (f" and {more} more" if more > 0 else ""),
        subject=mail.subject or "(no subject)",
        reason=mail.reason,
        remedy=mail.remedy,
        server_words=mail.server_words,
        refused=refusals(mail),
        at=mail.created_at.isoformat(),
        leaves_at=mail.send_at.isoformat() if mail.send_at else "",
        attempts="" if not mail.attempts else "1 attempt" if mail.attempts == 1 else f"{mail.attempts} attempts",
        choices=CHOICES.get(mail.state, []),
        came=paint_came(view, mail.came),
    )


Session.painters.append(Outbox)


def refusals(mail: Outgoing) -> list[str]:
    """Why each of its recipients does not get it; of a single one not what the mail's own reason says already."""
    refused = [each for each in mail.recipients if each.state == "refused"]
    if len(mail.recipients) == 1:
        refused = [each for each in refused if each.reason not in mail.reason]
    return [f"{each.address}: {each.reason}" for each in refused]
