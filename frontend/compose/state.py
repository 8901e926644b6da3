"""Writing: the composers that stand open in one tab.

A composer's text belongs to the browser. It goes up with every pause in typing and never comes back down: what a
composer begins with is fixed when it opens (`ComposerView.key` changes when it must begin again), and the answers
change only its status line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypedDict

import msgspec
import reflex as rx
from reflex.event import EventSpec

from backend.compose.contracts import Came, CreateDraft, Draft, DraftKind, Outgoing, SaveDraft, SendDraft
from backend.contacts.contracts import AddressSuggestion
from backend.conversations.contracts import ConversationDetail
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import Mailbox
from frontend.api import ApiError
from frontend.faces import Face, address_face, first_name, person_face
from frontend.inbox.came import CameView, paint_came
from frontend.inbox.panes import size_words
from frontend.session import Session
from frontend.view import View

UNDO_SECONDS = 10
ANSWERS = ("reply", "reply_all")
TITLES = {"reply": "Reply", "reply_all": "Reply to all", "forward": "Forward", "new": "New mail"}


class AddressView(TypedDict):
    name: str
    address: str


class SuggestionView(TypedDict):
    name: str
    address: str
    face: Face


class ComposerView(TypedDict):
    """What a composer begins with. `id` 0: none. `sender`: as whom it will be sent; `copy_to`: who gets a copy of it
    unseen, by the settings of the mailbox. Both follow these."""

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
    sender: str
    copy_to: str


class ChipView(TypedDict):
    id: int
    name: str
    size: str


class StatusView(TypedDict):
    """The line below the text. `theirs`: what somebody else saved meanwhile; `answered`: someone was faster, and `came`
    is what they wrote; `taken`: a colleague writes on at this draft, so the composer says what it holds and closes.

    `serial` is the composer's number of the save that `saved` speaks of: a later one is still on its way.
    """

    saved: str
    serial: str
    error: str
    theirs: str
    answered: str
    came: list[CameView]
    taken: str


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
    text="", sender="", copy_to="",
)  # fmt: skip
QUIET = StatusView(saved="", serial="", error="", theirs="", answered="", came=[], taken="")


class Compose(Session):
    """The open composers: one at most in each conversation, and one for a new mail."""

    docked: dict[int, ComposerView] = {}
    fresh: ComposerView = NONE
    files: dict[int, list[ChipView]] = {}
    status: dict[int, StatusView] = {}
    asking: dict[int, AskView] = {}
    """In which conversations the person is asked about a colleague's draft."""
    suggestions: list[SuggestionView] = []

    _versions: dict[int, int] = {}
    _saved: dict[int, bytes] = {}
    _authors: dict[int, int] = {}
    """Whose each open draft was when it was opened."""
    _folded: frozenset[int] = frozenset()
    _resets: int = 0

    def repaint(self, before: View | None, view: View) -> None:
        """Follow drafts: open mine where a conversation comes into the page, drop what was sent or discarded."""
        if before is not None and before.mailboxes is not view.mailboxes:
            self._follow_settings(view)
        if before is None or before.details is view.details:
            return
        for conversation_id, composer in list(self.docked.items()):
            if conversation_id not in view.details:
                # Its place in the page is gone, and what was typed with it: it opens from what was saved.
                self._close(composer["id"])
        if gone := self.asking.keys() - view.details.keys():
            self.asking = {i: each for i, each in self.asking.items() if i not in gone}
        for conversation_id, detail in view.details.items():
            known = before.details.get(conversation_id)
            if known is None or known.drafts is not detail.drafts:
                self._follow(view, known, detail)

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

    def _follow(self, view: View, before: ConversationDetail | None, detail: ConversationDetail) -> None:
        conversation_id = detail.row.id
        asked = self.asking.get(conversation_id)
        if asked and all((each.id, each.author_id) != (asked["draft_id"], asked["author"]) for each in detail.drafts):
            self._ask_no_more(conversation_id)  # it was sent, thrown away or taken over
        mine = {each.id: each for each in detail.drafts if each.author_id == view.me.person.id}
        standing = self.docked.get(conversation_id)
        if standing is not None:
            draft_id = standing["id"]
            was_there = before is not None and any(each.id == draft_id for each in before.drafts)
            if was_there and all(each.id != draft_id for each in detail.drafts):
                self._close(draft_id)
            elif draft_id in mine:
                self._take_files(mine[draft_id])
            else:
                self._look_whose(view, next((each for each in detail.drafts if each.id == draft_id), None))
        elif before is None:
            for draft in mine.values():
                if draft.id not in self._folded:
                    self._open(view, draft)
                    break

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

    # ---- opening and closing

    @rx.event
    async def reply(self, conversation_id: int, kind: str, message_id: int) -> EventSpec | None:
        """Answer: open my draft in this conversation, or begin one. Where a colleague has begun, ask first."""
        if conversation_id in self.docked:
            return rx.call_script("tandem.focusComposer()")
        try:
            view = self.seen()
            detail = view.details.get(conversation_id)
            drafts = sorted(detail.drafts if detail else [], key=lambda each: each.updated_at)
            if any(each.author_id == view.me.person.id for each in drafts):
                return await self._write(conversation_id, kind, message_id)
            theirs = [each for each in drafts if each.kind in ANSWERS]
            if not theirs or kind not in ANSWERS:
                return await self._write(conversation_id, kind, message_id)
        except ApiError as refused:
            return self.fault(refused)
        author = view.people.get(theirs[-1].author_id)
        asked = AskView(
            draft_id=theirs[-1].id,
            author=theirs[-1].author_id,
            who=first_name(author.name) if author else "Somebody",
            face=person_face(author),
            kind=kind,
            message_id=message_id,
        )
        self.asking = {**self.asking, conversation_id: asked}
        return rx.call_script("tandem.focusQuestion()")

    async def _write(self, conversation_id: int, kind: str, message_id: int) -> EventSpec:
        """Go on with my draft in the conversation, or begin one."""
        view = self.seen()
        detail = view.details.get(conversation_id)
        mine = [d for d in detail.drafts if d.author_id == view.me.person.id] if detail else []
        if mine:
            draft = mine[0]
        else:
            wanted: DraftKind = kind  # pyright: ignore[reportAssignmentType] # the API refuses any other
            draft = await self.api().post(
                "/drafts",
                CreateDraft(kind=wanted, conversation_id=conversation_id, message_id=message_id or None),
                Draft,
            )
        self._folded -= {draft.id}
        self._open(self.seen(), draft)
        return rx.call_script("tandem.focusComposer()")

    # ---- a colleague writes there, too

    def _ask_no_more(self, conversation_id: int) -> None:
        self.asking = {i: each for i, each in self.asking.items() if i != conversation_id}

    @rx.event
    def stop_asking(self, conversation_id: int) -> None:
        """The person does not want to reply after all."""
        self._ask_no_more(conversation_id)

    @rx.event
    def read_theirs(self, conversation_id: int) -> EventSpec | None:
        """Unfold the colleague's draft, which grows as they write."""
        asked = self.asking.get(conversation_id)
        self._ask_no_more(conversation_id)
        return rx.call_script(f"tandem.readDraft({asked['draft_id']})") if asked else None

    @rx.event
    async def write_own(self, conversation_id: int) -> EventSpec | None:
        """A reply of my own, knowing of the other one."""
        asked = self.asking.get(conversation_id)
        if asked is None:
            return None
        self._ask_no_more(conversation_id)
        try:
            return await self._write(conversation_id, asked["kind"], asked["message_id"])
        except ApiError as refused:
            return self.fault(refused)

    @rx.event
    async def take_over(self, draft_id: int) -> EventSpec | None:
        """Write on at a colleague's draft, as its author."""
        try:
            draft = await self.api().post(f"/drafts/{draft_id}/take-over", None, Draft)
        except ApiError as refused:
            return self.fault(refused)
        conversation_id = draft.conversation_id or 0
        self._ask_no_more(conversation_id)
        standing = self.docked.get(conversation_id)
        if standing is not None and standing["id"] != draft.id:
            self._folded |= {standing["id"]}  # what I began myself stays a draft
            self._close(standing["id"])
        self._folded -= {draft.id}
        self._open(self.seen(), draft)
        return rx.call_script("tandem.focusComposer()")

    @rx.event
    async def yield_draft(self, draft_id: int, fields: dict[str, Any]) -> EventSpec | None:
        """A colleague took this draft over: its composer closes. What was not saved becomes a draft of my own."""
        taken = self.status.get(draft_id, QUIET)["taken"]
        composer = next((each for each in self.docked.values() if each["id"] == draft_id), NONE)
        if not taken or not composer["id"]:
            return None
        typed = _given(0, fields)
        kept = self._saved.get(draft_id) != _content(typed)
        if kept:
            wanted: DraftKind = composer["kind"]  # pyright: ignore[reportAssignmentType] # that of a draft
            try:
                own = await self.api().post(
                    "/drafts", CreateDraft(kind=wanted, conversation_id=composer["conversation_id"]), Draft
                )
                await self.api().put(f"/drafts/{own.id}", msgspec.structs.replace(typed, version=own.version), Draft)
            except ApiError as refused:
                return self.fault(refused)  # the composer stays, and with it the text
            self._folded |= {own.id}
        self._close(draft_id)
        self.say(f"{taken} What you had not saved is kept as a draft of your own." if kept else taken)
        return None

    @rx.event
    async def write_new(self, mailbox_id: int) -> EventSpec | None:
        """Begin a new mail from a mailbox (0: the first of mine)."""
        try:
            view = self.seen()
            if not mailbox_id or mailbox_id not in view.mailboxes:
                mine = [*self.groups, *self.personal]
                if not mine:
                    self.say("Add a mailbox first: a mail needs an address to come from.", tone="red")
                    return None
                mailbox_id = mine[0]["id"]
            draft = await self.api().post("/drafts", CreateDraft(kind="new", mailbox_id=mailbox_id), Draft)
            self._open(view, draft)
        except ApiError as refused:
            return self.fault(refused)
        return rx.call_script("tandem.focusComposer()")

    @rx.event
    async def open_draft(self, draft_id: int) -> AsyncIterator[Any]:
        """Go on with a draft: in its conversation, or in the window for new mail."""
        try:
            view = self.seen()
            draft = await self.api().get(f"/drafts/{draft_id}", Draft)
        except ApiError as refused:
            yield self.fault(refused)
            return
        self._folded -= {draft_id}
        if draft.conversation_id is None:
            self._open(view, draft)
            yield rx.call_script("tandem.focusComposer()")
        else:
            yield rx.redirect(f"/?mailbox={draft.mailbox_id}&conversation={draft.conversation_id}")

    def reopen(self, draft: Draft) -> None:
        """Show a draft that came back from the outbox."""
        self._folded -= {draft.id}
        self._open(self.seen(), draft)

    @rx.event
    def fold(self, draft_id: int) -> None:
        """Put the composer away; the draft stays."""
        self._folded |= {draft_id}
        self._close(draft_id)

    @rx.event
    async def discard(self, draft_id: int) -> EventSpec | None:
        """Throw a draft away."""
        try:
            await self.api().delete(f"/drafts/{draft_id}")
        except ApiError as refused:
            return self.fault(refused)
        self._close(draft_id)
        self.say("Draft discarded")
        return None

    def _open(self, view: View, draft: Draft) -> None:
        self._resets += 1
        if self._versions.get(draft.id, 0) > draft.version:
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
            to=_addresses(draft.to),
            cc=_addresses(draft.cc),
            bcc=_addresses(draft.bcc),
            subject=draft.subject,
            text=draft.text,
            sender=sender_words(view, mailbox),
            copy_to=copy_address(mailbox, draft.kind),
        )
        self._versions = {**self._versions, draft.id: draft.version}
        self._saved = {**self._saved, draft.id: _content(_as_saved(draft))}
        self._authors = {**self._authors, draft.id: draft.author_id}
        self.status = {**self.status, draft.id: QUIET}
        self._take_files(draft)
        if draft.conversation_id is None:
            self.fresh = composer
        else:
            self.docked = {**self.docked, draft.conversation_id: composer}

    def _last_saved(self, draft_id: int) -> dict[str, Any]:
        """The fields of a draft as this tab stored them last, with the version they got."""
        saved = msgspec.json.decode(self._saved[draft_id], type=SaveDraft)
        return msgspec.structs.asdict(saved) | {"version": self._versions[draft_id]}

    def _close(self, draft_id: int) -> None:
        self.docked = {i: each for i, each in self.docked.items() if each["id"] != draft_id}
        if self.fresh["id"] == draft_id:
            self.fresh = NONE
        self.files = {i: each for i, each in self.files.items() if i != draft_id}
        self.status = {i: each for i, each in self.status.items() if i != draft_id}

    def _take_files(self, draft: Draft) -> None:
        chips = [ChipView(id=each.id, name=each.filename, size=size_words(each.size)) for each in draft.attachments]
        if self.files.get(draft.id) != chips:
            self.files = {**self.files, draft.id: chips}

    def _tell(self, draft_id: int, *, came: list[CameView] | None = None, **told: str) -> None:
        if self.status.get(draft_id, QUIET)["taken"]:
            return  # nothing else counts any more
        fresh = StatusView(saved="", serial="", error="", theirs="", answered="", came=came or [], taken="")
        for name, text in told.items():
            fresh[name] = text  # pyright: ignore[reportGeneralTypeIssues] # names of StatusView
        if self.status.get(draft_id) != fresh:
            self.status = {**self.status, draft_id: fresh}

    # ---- saving and sending

    @rx.event
    async def save(self, draft_id: int, fields: dict[str, Any]) -> EventSpec | None:
        """A pause in typing: store what stands in the composer."""
        try:
            await self._store(draft_id, fields)
        except ApiError as refused:
            return await self._refused(draft_id, refused)
        self._tell(draft_id, saved="Saved", serial=str(fields.get("serial") or 0))
        return None

    @rx.event
    async def send_mail(
        self, draft_id: int, fields: dict[str, Any], then_done: bool, anyway: bool
    ) -> AsyncIterator[Any]:
        """Hand a mail to the outbox, with some seconds to take it back."""
        conversation_id = next((i for i, each in self.docked.items() if each["id"] == draft_id), 0)
        try:
            version = await self._store(draft_id, fields)
            outgoing = await self.api().post(
                f"/drafts/{draft_id}/send",
                SendDraft(version=version, then_done=then_done, undo_seconds=UNDO_SECONDS, even_if_answered=anyway),
                Outgoing,
            )
        except ApiError as refused:
            if then_done and conversation_id:
                yield rx.call_script(f"tandem.putBack({conversation_id})")
            yield await self._refused(draft_id, refused)
            return
        self._close(draft_id)
        if then_done and conversation_id:
            yield rx.call_script(f"tandem.settled({conversation_id})")
        names = ", ".join(each.name or each.address for each in outgoing.to[:2])
        self.say(f"Sending to {names}" if names else "Sending", action=f"send:{UNDO_SECONDS}", ref=outgoing.id)

    async def _store(self, draft_id: int, fields: dict[str, Any]) -> int:
        """Save if something changed; returns the stored version."""
        wanted = _given(self._versions.get(draft_id, 0), fields)
        if self._saved.get(draft_id) == _content(wanted):
            return wanted.version
        draft = await self.api().put(f"/drafts/{draft_id}", wanted, Draft)
        self._versions = {**self._versions, draft_id: draft.version}
        self._saved = {**self._saved, draft_id: _content(wanted)}
        return draft.version

    async def _refused(self, draft_id: int, refused: ApiError) -> EventSpec | None:
        """A stale save keeps both texts, an answer that was faster is shown; anything else is told in the composer."""
        if refused.status != 409:
            self._tell(draft_id, error=refused.sentence)
            return self.fault(refused) if refused.status == 401 else None
        if refused.code == "answered_meanwhile":
            self._tell(draft_id, answered=refused.sentence, came=paint_came(self.seen(), _came_in(refused)))
            return None
        try:
            theirs = await self.api().get(f"/drafts/{draft_id}", Draft)
        except ApiError as gone:
            return self.fault(gone)
        if self._look_whose(self.seen(), theirs):
            return None
        if theirs.version != self._versions.get(draft_id):
            self._tell(draft_id, error=refused.sentence, theirs=theirs.text or "(empty)")
        else:
            self._tell(draft_id, error=refused.sentence)
        return None

    @rx.event
    async def keep(self, draft_id: int, which: str, fields: dict[str, Any]) -> EventSpec | None:
        """Of two texts, keep `mine` or `theirs`."""
        try:
            stored = await self.api().get(f"/drafts/{draft_id}", Draft)
            if which == "theirs":
                self._open(self.seen(), stored)
                return None
            self._versions = {**self._versions, draft_id: stored.version}
            self._saved = {**self._saved, draft_id: _content(_as_saved(stored))}
            await self._store(draft_id, fields)
        except ApiError as refused:
            return await self._refused(draft_id, refused)
        self._tell(draft_id, saved="Saved", serial=str(fields.get("serial") or 0))
        return None

    # ---- recipients and files

    @rx.event
    async def suggest(self, begun: str) -> EventSpec | None:
        """Complete an address."""
        if not begun.strip():
            self.suggestions = []
            return None
        try:
            found = await self.api().get("/addresses", list[AddressSuggestion], q=begun.strip())
        except ApiError as refused:
            return self.fault(refused)
        self.suggestions = [
            SuggestionView(
                name=each.name,
                address=each.address,
                face=address_face(MailAddress(name=each.name, address=each.address)),
            )
            for each in found[:8]
        ]
        return None

    @rx.event
    async def attached(self, draft_id: int) -> EventSpec | None:
        """A file was uploaded by the browser: show it."""
        try:
            draft = await self.api().get(f"/drafts/{draft_id}", Draft)
        except ApiError as refused:
            return self.fault(refused)
        self._versions = {**self._versions, draft_id: draft.version}
        self._take_files(draft)
        return None

    @rx.event
    async def detach(self, draft_id: int, attachment_id: int) -> EventSpec | None:
        """Take a file off."""
        try:
            draft = await self.api().delete(f"/drafts/{draft_id}/attachments/{attachment_id}", Draft)
        except ApiError as refused:
            return self.fault(refused)
        self._versions = {**self._versions, draft_id: draft.version}
        self._take_files(draft)
        return None


def _came_in(refused: ApiError) -> list[Came]:
    """What came since a draft was begun, as a refused Send tells it."""
    told = [*refused.details.get("replies", []), *refused.details.get("arrived", [])]
    return sorted(msgspec.convert(told, list[Came]), key=lambda each: each.at)


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


def _addresses(given: list[MailAddress]) -> list[AddressView]:
    return [AddressView(name=each.name, address=each.address) for each in given]


def _given(version: int, fields: dict[str, Any]) -> SaveDraft:
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
    )


def _as_saved(draft: Draft) -> SaveDraft:
    return SaveDraft(
        version=draft.version, to=draft.to, cc=draft.cc, bcc=draft.bcc, subject=draft.subject, text=draft.text
    )


def _content(draft: SaveDraft) -> bytes:
    """A draft without its version: equal when nothing needs saving."""
    return msgspec.json.encode(msgspec.structs.replace(draft, version=0))


Session.painters.append(Compose)
