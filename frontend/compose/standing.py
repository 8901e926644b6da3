"""The composers that stand open: what each began with, its files and its status line; and how they follow drafts."""

from __future__ import annotations

from typing import Any

import msgspec
import reflex as rx

from backend.compose.contracts import Draft, DraftKind, SaveDraft
from backend.conversations.contracts import ConversationDetail
from frontend.api import ApiError
from frontend.compose.inside import inside
from frontend.compose.views import (
    NONE,
    QUIET,
    TITLES,
    AskView,
    ChipView,
    ComposerView,
    MeetingView,
    StatusView,
    SuggestionView,
    as_saved,
    content,
    copy_address,
    painted,
    painted_meeting,
    sender_words,
)
from frontend.faces import first_name
from frontend.inbox.came import CameView
from frontend.session import Session
from frontend.sizes import size_words
from frontend.view import View


def is_mine(draft: Draft, view: View) -> bool:
    """I have begun it, or joined whoever did."""
    return view.me.person.id in (draft.author_id, *draft.writer_ids)


class StandingComposers(Session, mixin=True):
    """The open composers: one at most in each conversation, and one for a new mail."""

    docked: dict[int, ComposerView] = {}
    fresh: ComposerView = NONE
    files: dict[int, list[ChipView]] = {}
    meetings: dict[int, MeetingView] = {}
    status: dict[int, StatusView] = {}
    asking: dict[int, AskView] = {}
    """In which conversations the person is asked about a colleague's draft."""
    suggestions: list[SuggestionView] = []

    _versions: dict[int, int] = {}
    _saved: dict[int, bytes] = {}
    _authors: dict[int, int] = {}
    """Whose each open draft was when it was opened."""
    _left_with: dict[int, str] = {}
    """What drafts that others have sent said then; nothing for those that were thrown away."""
    _folded: frozenset[int] = frozenset()
    _resets: int = 0

    def _open(self, view: View, draft: Draft) -> None:
        self._resets += 1
        if self._versions.get(draft.id, 0) > draft.version and not draft.together:
            # The page's copy is older than what this tab has saved: the event of that save is still on its way.
            draft = msgspec.structs.replace(draft, **self._last_saved(draft.id))
        mailbox = view.mailboxes.get(draft.mailbox_id)
        composer = ComposerView(
            id=draft.id,
            key=f"{draft.id}.{self._resets}",
            conversation_id=draft.conversation_id or 0,
            kind=draft.kind,
            title=TITLES[draft.kind],
            mailbox_id=draft.mailbox_id,
            mailbox=mailbox.name if mailbox else "",
            to=painted(draft.to),
            cc=painted(draft.cc),
            bcc=painted(draft.bcc),
            subject=draft.subject,
            text=draft.text,
            html=draft.html,
            quoted=draft.quoted,
            signature=draft.signature,
            sender=sender_words(view, mailbox),
            copy_to=copy_address(mailbox, draft.kind),
            inside=inside(view),
            together=draft.together,
            version=draft.version,
        )
        self._versions = {**self._versions, draft.id: draft.version}
        self._saved = {**self._saved, draft.id: content(as_saved(draft))}
        self._authors = {**self._authors, draft.id: draft.author_id}
        self.status = {**self.status, draft.id: StatusView(**(QUIET | {"together": draft.together}))}  # pyright: ignore[reportArgumentType]
        self._take_files(draft)
        if draft.conversation_id is None:
            self.fresh = composer
        else:
            self.docked = {**self.docked, draft.conversation_id: composer}

    def _last_saved(self, draft_id: int) -> dict[str, Any]:
        """The fields of a draft as this tab stored them last, with the version they got."""
        saved = msgspec.json.decode(self._saved[draft_id], type=SaveDraft)
        fields = msgspec.structs.asdict(saved) | {"version": self._versions[draft_id]}
        if saved.html is not None:
            del fields["text"]  # that was taken from the HTML
        return fields

    def _close(self, draft_id: int) -> None:
        self.docked = {i: each for i, each in self.docked.items() if each["id"] != draft_id}
        if self.fresh["id"] == draft_id:
            self.fresh = NONE
        self.files = {i: each for i, each in self.files.items() if i != draft_id}
        self.status = {i: each for i, each in self.status.items() if i != draft_id}
        if draft_id in self.meetings:
            self.meetings = {i: each for i, each in self.meetings.items() if i != draft_id}

    def _take_files(self, draft: Draft) -> None:
        """What hangs on the draft: its files, and the meeting that it invites to."""
        chips = [
            ChipView(id=each.id, name=each.filename, size=size_words(each.size), in_text=bool(each.content_id))
            for each in draft.attachments
        ]
        if self.files.get(draft.id) != chips:
            self.files = {**self.files, draft.id: chips}
        meetings = {i: each for i, each in self.meetings.items() if i != draft.id}
        if draft.meeting is not None:
            meetings[draft.id] = painted_meeting(draft.meeting)
        if meetings != self.meetings:
            self.meetings = meetings

    def _tell(self, draft_id: int, *, came: list[CameView] | None = None, **told: str) -> None:
        if self.status.get(draft_id, QUIET)["taken"]:
            return  # nothing else counts any more
        together = self.status.get(draft_id, QUIET)["together"]
        fresh = StatusView(**(QUIET | {"came": came or [], "together": together}))  # pyright: ignore[reportArgumentType]
        for name, text in told.items():
            fresh[name] = text  # pyright: ignore[reportGeneralTypeIssues] # names of StatusView
        if self.status.get(draft_id) != fresh:
            self.status = {**self.status, draft_id: fresh}

    def _ask_no_more(self, conversation_id: int) -> None:
        self.asking = {i: each for i, each in self.asking.items() if i != conversation_id}

    def _look_whose(self, view: View, draft: Draft | None) -> bool:
        """Whether the draft of an open composer is somebody else's now; the composer is told so.

        A copy that is older than what this tab knows says nothing.
        """
        if draft is None or draft.version < self._versions.get(draft.id, 0):
            return False
        if draft.author_id in (view.me.person.id, self._authors.get(draft.id)):
            return False
        taker = view.people.get(draft.author_id)
        self._tell(draft.id, taken=f"{first_name(taker.name) if taker else 'Somebody'} took this reply over.")
        return True

    def _meet(self, draft_id: int) -> None:
        """Somebody writes in this draft, too: from now on it is written together."""
        status = self.status.get(draft_id, QUIET)
        if not status["together"]:
            self.status = {**self.status, draft_id: StatusView(**(status | {"together": True}))}  # pyright: ignore[reportArgumentType]

    def _miss(self, draft_id: int) -> None:
        """A new mail was sent or thrown away elsewhere: its composer says what it holds, and closes."""
        self._tell(draft_id, taken="This mail was sent or thrown away elsewhere.")

    def _part(self, view: View, before: ConversationDetail, detail: ConversationDetail, draft_id: int) -> None:
        """An open draft is gone. Where others wrote in it, and it was not I who sent it, the composer is told."""
        known = {each.id for each in before.outgoing}
        sent = [each for each in detail.outgoing if each.id not in known]
        mine = any(each.author_id == view.me.person.id for each in sent)
        if mine or not self.status.get(draft_id, QUIET)["together"]:
            self._close(draft_id)
        elif sent:
            sender = view.people.get(sent[-1].author_id)
            self._left_with = {**self._left_with, draft_id: sent[-1].text}
            self._tell(draft_id, taken=f"{first_name(sender.name) if sender else 'Somebody'} sent this mail.")
        else:
            self._left_with = {**self._left_with, draft_id: ""}
            self._tell(draft_id, taken="This draft was thrown away.")

    def _follow(self, view: View, before: ConversationDetail | None, detail: ConversationDetail) -> None:
        conversation_id = detail.row.id
        asked = self.asking.get(conversation_id)
        if asked and all((each.id, each.author_id) != (asked["draft_id"], asked["author"]) for each in detail.drafts):
            self._ask_no_more(conversation_id)  # it was sent, thrown away or taken over
        mine = {each.id: each for each in detail.drafts if is_mine(each, view)}
        standing = self.docked.get(conversation_id)
        if standing is not None:
            draft_id = standing["id"]
            there = next((each for each in detail.drafts if each.id == draft_id), None)
            if before is not None and there is None and any(each.id == draft_id for each in before.drafts):
                self._part(view, before, detail, draft_id)
            elif not self._look_whose(view, there) and there is not None:
                self._take_files(there)
                if there.together:
                    self._meet(draft_id)
        elif before is None:
            for draft in mine.values():
                if draft.id not in self._folded:
                    self._open(view, draft)
                    break

    def _follow_settings(self, view: View) -> None:
        """Who is to be the sender, and who gets a copy, may be set anew while a mail is being written."""

        def fresh(composer: ComposerView) -> ComposerView:
            mailbox = view.mailboxes.get(composer["mailbox_id"])
            kind: DraftKind = composer["kind"]  # pyright: ignore[reportAssignmentType] # it came from a draft
            told = {"sender": sender_words(view, mailbox), "copy_to": copy_address(mailbox, kind)}
            return ComposerView(**(composer | told))  # pyright: ignore[reportArgumentType]

        docked = {i: fresh(each) for i, each in self.docked.items()}
        if docked != self.docked:
            self.docked = docked
        if self.fresh["id"] and fresh(self.fresh) != self.fresh:
            self.fresh = fresh(self.fresh)

    async def page_loaded(self) -> None:
        """The browser has forgotten what was typed: begin from what was saved."""
        standing = [each["id"] for each in (*self.docked.values(), self.fresh) if each["id"]]
        for draft_id in standing:
            try:
                draft = await self.api().get(f"/drafts/{draft_id}", Draft)
            except ApiError:
                self._close(draft_id)  # sent or discarded elsewhere meanwhile
            else:
                self._open(self.seen(), draft)

    @rx.event
    def fold(self, draft_id: int) -> None:
        """Put the composer away; the draft stays."""
        self._folded |= {draft_id}
        self._close(draft_id)
