"""The part of Tom and Mei: they take mail, talk about it, answer it and close it, through the REST API.

They keep their hands off whatever a real person is busy with: where somebody else writes a draft, has done
anything within the last minutes, or has taken the conversation.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.conversations.contracts import (
    AddComment,
    Assign,
    Comment,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    ConversationRow,
    SetStatus,
)
from backend.demo.api import Api, Refused
from backend.demo.corpus import Conversation, load_yaml
from backend.demo.customers import Customers
from backend.demo.memory import Memory
from backend.demo.people import MAILBOXES, PEOPLE, SIMULATED, members_of

_TEXTS = Path(__file__).parent / "teammates.yaml"
_HANDS_OFF = timedelta(minutes=15)
"""So long after a real person's last touch the simulated ones leave a conversation alone."""
_READING = timedelta(seconds=12)
"""A mail is not answered faster than somebody can read it."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done with one conversation that arrives live."""

    by: str
    comment: str | None = None
    assign: str | None = None
    replies: list[str] = []


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    live: dict[str, Plan]
    remarks: dict[str, list[str]]


def read_texts() -> Texts:
    """What the simulated teammates say. Raises `CorpusError` or msgspec's ValidationError."""
    return msgspec.convert(load_yaml(_TEXTS), Texts)


@dataclass(frozen=True)
class Office:
    """Northwind as it stands in Tandem: ids of people and mailboxes by the demo's keys."""

    people: dict[str, int]
    mailboxes: dict[str, int]


class Teammates:
    """Tom and Mei at work. ``apis`` holds their API access by key."""

    def __init__(
        self, apis: dict[str, Api], office: Office, conversations: Iterable[Conversation], customers: Customers,
        memory: Memory, chance: random.Random,
    ) -> None:  # fmt: skip
        self._apis = apis
        self._office = office
        self._live = {each.id: each for each in conversations if each.live}
        self._customers = customers
        self._memory = memory
        self._chance = chance
        self._texts = read_texts()

    async def work(self) -> str | None:
        """One thing that one of them does now: what it was, or None when nothing is to be done."""
        steps = [self._planned_step, self._remark]
        if self._chance.random() < 0.2:
            steps.reverse()
        for step in steps:
            done = await step()
            if done:
                return done
        return None

    async def _planned_step(self) -> str | None:
        done, begun = self._memory.table("steps"), self._memory.table("begun")
        for key, plan in self._texts.live.items():
            written = datetime.fromisoformat(begun[key]) if key in begun else None
            if written is None or done.get(key) == "left" or datetime.now(UTC) - written < _READING:
                continue
            happened = await self._next_step(self._live[key], plan)
            if happened:
                return happened
        return None

    async def _next_step(self, conversation: Conversation, plan: Plan) -> str | None:
        """The plan's next step, if it is time for one; a conversation that others took is left for good."""
        steps = self._memory.table("steps")
        step = steps.get(conversation.id, 0)
        heard = self._customers.answered(conversation.id)
        finished = step > 0 and step - 1 >= len(plan.replies)
        if step > 0 and not finished and heard < step - 1:
            return None
        if finished and (not plan.replies or heard < len(plan.replies)):
            return None
        api = self._apis[plan.by]
        detail = await self._find(api, conversation)
        if detail is None:
            return None
        row = detail.row
        if self._was_taken(detail, plan.assign):
            self._remember_step(conversation, "left")
            return None
        if self._is_busy(detail, plan.assign) or (step > 0 and not finished and row.last_direction == "outgoing"):
            return None
        if step == 0:
            return await self._take(conversation, plan, row)
        if finished:
            return await self._close(conversation, plan, row)
        return await self._reply(conversation, plan, row, plan.replies[step - 1], step)

    async def _take(self, conversation: Conversation, plan: Plan, row: ConversationRow) -> str:
        api = self._apis[plan.by]
        if plan.comment:
            await self._comment(api, row, conversation.mailbox, plan.comment)
        wanted = plan.assign or (plan.by if plan.replies else None)
        if wanted:
            body = Assign(user_id=self._office.people[wanted])
            await api.put(f"/conversations/{row.id}/assignee", body, ConversationItem)
        self._remember_step(conversation, 1 if plan.replies else "left")
        return f"{PEOPLE[plan.by].first_name} takes “{conversation.subject}”"

    async def _reply(self, conversation: Conversation, plan: Plan, row: ConversationRow, text: str, step: int) -> str:
        api = self._apis[plan.by]
        draft = await api.post("/drafts", CreateDraft(kind="reply", conversation_id=row.id), Draft)
        try:
            written = SaveDraft(
                version=draft.version,
                to=draft.to,
                cc=draft.cc,
                bcc=draft.bcc,
                subject=draft.subject,
                text=text.rstrip() + "\n",
            )
            saved = await api.put(f"/drafts/{draft.id}", written, Draft)
            body = SendDraft(version=saved.version, undo_seconds=0)
            await api.post(f"/drafts/{draft.id}/send", body, Outgoing)
        except Refused:  # somebody answered meanwhile, or wrote on: leave nothing lying about
            await api.send("DELETE", f"/drafts/{draft.id}")
            raise
        self._remember_step(conversation, step + 1)
        return f"{PEOPLE[plan.by].first_name} answers {conversation.customer.name}"

    async def _close(self, conversation: Conversation, plan: Plan, row: ConversationRow) -> str | None:
        if not self._customers.has_said_all(conversation) or row.last_direction == "outgoing":
            return None
        await self._apis[plan.by].put(f"/conversations/{row.id}/status", SetStatus(status="done"), ConversationItem)
        self._remember_step(conversation, "left")
        return f"{PEOPLE[plan.by].first_name} is done with “{conversation.subject}”"

    async def _remark(self) -> str | None:
        """A remark beside an open conversation of the first page that nobody is busy with."""
        key = self._chance.choice(SIMULATED)
        said = self._memory.table("said")
        left = [text for text in self._texts.remarks[key] if text not in said]
        places = [mailbox for mailbox in MAILBOXES.values() if key in members_of(mailbox)]
        if not left or not places:
            return None
        api, mailbox = self._apis[key], self._chance.choice(places)
        path = f"/mailboxes/{self._office.mailboxes[mailbox.key]}/conversations"
        page = await api.get(path, ConversationPage, view="open")
        rows = [item.row for item in page.items if item.row.comment_count == 0 and not item.row.draft_author_ids]
        text = self._chance.choice(left)
        mentioned = _mentioned(text)
        if not rows or not mentioned <= members_of(mailbox):
            return None
        row = self._chance.choice(rows[:20])
        if self._is_busy(await api.get(f"/conversations/{row.id}", ConversationDetail), None):
            return None
        await self._comment(api, row, mailbox.key, text)
        said[text] = True
        self._memory.save()
        return f"{PEOPLE[key].first_name} remarks on “{row.subject}”"

    async def _comment(self, api: Api, row: ConversationRow, mailbox: str, text: str) -> None:
        body = comment_body(text, mailbox, self._office)
        await api.post(f"/conversations/{row.id}/comments", body, Comment)

    async def _find(self, api: Api, conversation: Conversation) -> ConversationDetail | None:
        """The conversation as it stands in Tandem, when it has arrived there."""
        known = self._memory.table("numbers")
        if conversation.id not in known:
            path = f"/mailboxes/{self._office.mailboxes[conversation.mailbox]}/conversations"
            page = await api.get(path, ConversationPage, view="all")
            row = next((item.row for item in page.items if is_row_of(item.row, conversation)), None)
            if row is None:
                return None
            known[conversation.id] = row.id
            self._memory.save()
        return await api.get(f"/conversations/{known[conversation.id]}", ConversationDetail)

    def _ours(self, given_to: str | None) -> set[int]:
        """The ids of the simulated people, and of the one whom their plan gave the conversation to."""
        return {self._office.people[key] for key in (*SIMULATED, *((given_to,) if given_to else ()))}

    def _is_busy(self, detail: ConversationDetail, given_to: str | None) -> bool:
        """Whether a real person is at work here, or the conversation is closed."""
        ours = self._ours(None)
        recent = datetime.now(UTC) - _HANDS_OFF
        touched = [
            *((comment.author_id, comment.created_at) for comment in detail.comments),
            *((activity.actor_id, activity.at) for activity in detail.activities),
            *((outgoing.author_id, outgoing.created_at) for outgoing in detail.outgoing),
        ]
        return (
            detail.row.status != "open"
            or any(author not in ours for author in detail.row.draft_author_ids)
            or any(actor is not None and actor not in ours and at > recent for actor, at in touched)
            or (detail.row.assignee_id is not None and detail.row.assignee_id not in self._ours(given_to))
        )

    def _was_taken(self, detail: ConversationDetail, given_to: str | None) -> bool:
        """Whether a real person has it now, so that the plan for it is over."""
        foreign = detail.row.assignee_id is not None and detail.row.assignee_id not in self._ours(given_to)
        answered = any(outgoing.author_id not in self._ours(None) for outgoing in detail.outgoing)
        return foreign or answered or detail.row.status != "open"

    def _remember_step(self, conversation: Conversation, step: int | str) -> None:
        self._memory.table("steps")[conversation.id] = step
        self._memory.save()


def comment_body(text: str, mailbox: str, office: Office) -> AddComment:
    """A comment with the ids of those it names who can open the mailbox."""
    members = members_of(MAILBOXES[mailbox])
    ids = sorted(office.people[key] for key in _mentioned(text) & members)
    return AddComment(text=text.strip(), mention_ids=ids)


def _mentioned(text: str) -> frozenset[str]:
    named = {name.lower() for name in re.findall(r"@(\w+)", text)}
    return frozenset(named & set(PEOPLE))


_REPLY = re.compile(r"^\s*((re|aw|sv|odp|r|antw)\s*:\s*)+", re.IGNORECASE)


def is_row_of(row: ConversationRow, conversation: Conversation) -> bool:
    """Whether a row of Tandem's list is this conversation: the same subject, and a correspondent of it."""
    addresses = {conversation.customer.address.lower()}
    addresses |= {m.sender.address.lower() for m in conversation.messages if not isinstance(m.sender, str)}
    subjects = {_plain(conversation.subject), *(_plain(m.subject) for m in conversation.messages if m.subject)}
    return _plain(row.subject) in subjects and any(person.address.lower() in addresses for person in row.correspondents)


def _plain(subject: str) -> str:
    return " ".join(_REPLY.sub("", subject).split()).casefold()
