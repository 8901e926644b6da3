"""What people do with a conversation from the inbox: each deed is one request, and its answer is painted at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypedDict

import reflex as rx
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.conversations.contracts import (
    AddComment,
    Assign,
    Assignee,
    Comment,
    ConversationDetail,
    ConversationItem,
    ConversationRow,
    EditComment,
    LinkedConversation,
    SetFollowing,
    SetRead,
    SetStar,
    SetStatus,
    SetVisibility,
    Status,
    Visibility,
)
from backend.search.contracts import FoundPage
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from frontend.api import ApiError
from frontend.inbox.list_state import ListState
from frontend.view import with_detail, with_item

STATUS_SAID = {
    "done": "Marked done",
    "trash": "Moved to Trash",
    "open": "Moved to Open",
    "spam": "Marked as spam",
    "block": "Sender blocked",
}


def _assignee(seen: str) -> Assignee | None:
    """Whom the page showed, or None when it showed nobody's name at all."""
    user, _, team = seen.partition(":")
    if not (user.isdecimal() and team.isdecimal()):
        return None
    return Assignee(user_id=int(user) or None, team_id=int(team) or None)


VISIBILITY_SAID: dict[Visibility, str] = {
    "open": "Open to everybody in this mailbox",
    "private": "Private: only people of this mailbox see it",
    "confidential": "Confidential: only those concerned see it",
}


LINKS_OFFERED = 6


class LinkableView(TypedDict):
    """A conversation that a comment could link to."""

    id: int
    subject: str
    status: str


def _as_link(row: ConversationRow) -> LinkedConversation:
    return LinkedConversation(
        id=row.id, conversation_id=row.id, mailbox_id=row.mailbox_id, subject=row.subject, status=row.status
    )


class DeedState(ListState, mixin=True):
    """Status, assignment, reading, comments."""

    linkable: list[LinkableView] = []

    @rx.event
    async def set_status(self, conversation_id: int, status: str) -> AsyncIterator[Any]:
        """Done, trash, spam, or open again; `block` also blocks the writer.

        The row has gone already; a refusal puts it back and says why.
        """
        try:
            before = self.seen().rows.get(conversation_id)
            if status == "block":
                item = await self.api().post(f"/conversations/{conversation_id}/block-sender", None, ConversationItem)
                await self.become(with_item(self.seen(), item))
            else:
                wanted: Status = status  # pyright: ignore[reportAssignmentType] # the API refuses any other word
                await self.change(conversation_id, "status", SetStatus(status=wanted))
        except ApiError as refused:
            yield rx.call_script(f"tandem.putBack({conversation_id})")
            yield self.fault(refused)
            return
        yield rx.call_script(f"tandem.settled({conversation_id})")
        if before is not None and before.status != status:
            self.say(STATUS_SAID.get(status, "Changed"), action=f"status:{before.status}", ref=conversation_id)

    @rx.event
    async def assign(
        self, conversation_id: int, user_id: int, team_id: int, seen: str = ""
    ) -> AsyncIterator[EventSpec | None]:
        """To a person, a team, or (both 0) nobody. `seen`: to whom it was assigned when the person chose, "2:0"."""
        was = _assignee(seen)
        try:
            wanted = Assign(user_id=user_id or None, team_id=team_id or None, was=was)
            await self.change(conversation_id, "assignee", wanted)
        except ApiError as refused:
            if refused.code != "assigned_meanwhile":
                yield self.fault(refused)
            else:
                mine = self._view is not None and user_id == self._view.me.person.id
                label = "Assign to me anyway" if mine else "Assign anyway"
                self.say(refused.message, action=f"assign:{user_id}:{team_id}", ref=conversation_id, label=label)
        yield rx.call_script(f"tandem.putAssignedBack({conversation_id})")  # the page says it itself, or it is not so

    @rx.event
    async def mark_unread(self, conversation_id: int) -> AsyncIterator[Any]:
        """Unread again, for me alone."""
        try:
            await self.change(conversation_id, "read", SetRead(read=False))
        except ApiError as refused:
            yield self.fault(refused)
            return
        yield rx.call_script("tandem.close()")

    @rx.event
    async def tag(self, conversation_id: int, tag_id: int, on: bool) -> EventSpec | None:
        """Put a tag on a conversation, or take it away."""
        try:
            await self.change(conversation_id, "tags", ChangeTags(**{"add" if on else "remove": [tag_id]}))
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def star(self, conversation_id: int, on: bool) -> AsyncIterator[Any]:
        """A star, or none; the page shows it already."""
        try:
            await self.change(conversation_id, "star", SetStar(starred=on))
        except ApiError as refused:
            yield rx.call_script(f"tandem.showStar({conversation_id}, {'false' if on else 'true'})")
            yield self.fault(refused)

    @rx.event
    async def new_tag(self, conversation_id: int, name: str) -> EventSpec | None:
        """Make a tag and put it on the conversation."""
        try:
            made = await self.api().post("/tags", SaveTag(name=name), Tag)
            await self.change(conversation_id, "tags", ChangeTags(add=[made.id]))
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def follow_it(self, conversation_id: int, following: bool) -> EventSpec | None:
        """Be told of what is said and written in it, or no more."""
        try:
            await self.change(conversation_id, "following", SetFollowing(following=following))
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def set_visibility(self, conversation_id: int, visibility: str) -> EventSpec | None:
        """Open to the mailbox, private, or confidential. Whoever makes it confidential stays concerned."""
        before = self.seen().rows.get(conversation_id)
        try:
            wanted: Visibility = visibility  # pyright: ignore[reportAssignmentType] # the API refuses any other word
            await self.change(conversation_id, "visibility", SetVisibility(visibility=wanted))
            detail = await self.api().get(f"/conversations/{conversation_id}", ConversationDetail)  # who sees it now
            await self.become(with_detail(self.seen(), detail))
        except ApiError as refused:
            return self.fault(refused)
        if before is not None and before.visibility != visibility:
            self.say(VISIBILITY_SAID[wanted], action=f"visibility:{before.visibility}", ref=conversation_id)
        return None

    @rx.event
    async def remind(self, conversation_id: int, at: str, kind: str, if_silent: bool) -> AsyncIterator[Any]:
        """Remind me at this moment, or hide it from me until then; without a moment, neither."""
        path = f"/conversations/{conversation_id}/reminder"
        try:
            if at:
                wanted = {"at": at, "kind": kind, "if_silent": if_silent}
                item = await self.api().put(path, wanted, ConversationItem)
            else:
                item = await self.api().delete(path, ConversationItem)
            await self.become(with_item(self.seen(), item))
        except ApiError as refused:
            yield rx.call_script(f"tandem.putBack({conversation_id})")
            yield self.fault(refused)
            return
        yield rx.call_script(f"tandem.settled({conversation_id})")
        if at:
            said = "Hidden until then" if kind == "snooze" else "Reminder set"
            self.say(said, action="remind:", ref=conversation_id)
        else:
            self.say("Reminder cleared")

    @rx.event
    async def read_all(self) -> EventSpec | None:
        """Everything in the open mailbox counts as read."""
        try:
            await self.api().post(f"/mailboxes/{self.mailbox_id}/read-all")
        except ApiError as refused:
            return self.fault(refused)
        return None

    async def change(self, conversation_id: int, what: str, body: Any) -> None:
        item = await self.api().put(f"/conversations/{conversation_id}/{what}", body, ConversationItem)
        await self.become(with_item(self.seen(), item))

    @rx.event
    async def edit_comment(
        self,
        conversation_id: int,
        comment_id: int,
        text: str,
        people: list[int],
        teams: list[int],
        links: list[int],
        files: list[int],
    ) -> EventSpec | None:
        """Let my comment say something else; who was mentioned and still is named stays so, and links stay."""
        view = self.seen()
        detail = view.details.get(conversation_id)
        known = next((each for each in detail.comments if each.id == comment_id), None) if detail else None
        if known is not None:
            people = [*people, *(i for i in known.mention_ids if i in view.people and view.people[i].name in text)]
            teams = [*teams, *(i for i in known.team_mention_ids if i in view.teams and view.teams[i].name in text)]
            links = [*links, *(i for i in known.link_ids if f"#{i}" in text)]
        said = EditComment(
            text=text,
            mention_ids=sorted(set(people)),
            team_mention_ids=sorted(set(teams)),
            link_ids=sorted(set(links)),
            file_ids=files,
        )
        return await self._change_comment("PUT", comment_id, "", said)

    @rx.event
    async def delete_comment(self, comment_id: int) -> EventSpec | None:
        """Take my comment away."""
        return await self._change_comment("DELETE", comment_id, "", None)

    @rx.event
    async def react(self, comment_id: int, emoji: str, on: bool) -> EventSpec | None:
        """React to a comment, or take that back."""
        return await self._change_comment("PUT", comment_id, "/reactions", {"emoji": emoji, "on": on})

    async def _change_comment(self, method: str, comment_id: int, what: str, body: Any) -> EventSpec | None:
        path = f"/comments/{comment_id}{what}"
        try:
            api = self.api()
            said = await (api.put(path, body, Comment) if method == "PUT" else api.delete(path, Comment))
            view = self.seen()
            detail = view.details.get(said.conversation_id)
            if detail is not None:
                comments = [said if each.id == said.id else each for each in detail.comments]
                fresh = replace(detail, comments=comments)
                await self.become(replace(view, details=view.details | {said.conversation_id: fresh}))
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def remove_comment_file(self, comment_file_id: int) -> EventSpec | None:
        """Take a file off my comment; the event tells."""
        try:
            await self.api().delete(f"/comment-files/{comment_file_id}")
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def find_conversations(self, words: str) -> EventSpec | None:
        """What a comment could link to: by number, or by words of it; without any, what came last."""
        try:
            numbers = [int(words)] if words.isascii() and words.isdigit() and len(words) < 19 else []
            if numbers:
                links = await self.api().get("/conversation-links", list[LinkedConversation], ids=numbers)
            elif words:
                page = await self.api().get("/search", FoundPage, q=words)
                links = [_as_link(item.row) for item in page.items]
            else:
                rows = sorted(self.seen().rows.values(), key=lambda row: row.last_at, reverse=True)
                links = [_as_link(row) for row in rows]
        except ApiError as refused:
            return self.fault(refused)
        self.linkable = [
            LinkableView(id=each.id, subject=each.subject.strip() or "(no subject)", status=each.status.capitalize())
            for each in links[:LINKS_OFFERED]
        ]
        return None

    @rx.event
    async def comment(
        self,
        conversation_id: int,
        text: str,
        people: list[int],
        teams: list[int],
        links: list[int],
        files: list[int],
    ) -> EventSpec | None:
        """Say something to the team, beside the mail."""
        said = AddComment(text=text, mention_ids=people, team_mention_ids=teams, link_ids=links, file_ids=files)
        return await self._say(conversation_id, said)

    @rx.event
    async def share_by_comment(
        self,
        conversation_id: int,
        text: str,
        people: list[int],
        teams: list[int],
        links: list[int],
        files: list[int],
    ) -> EventSpec | None:
        """The same, to somebody who could not see the conversation: they see it from now on."""
        said = AddComment(
            text=text, mention_ids=people, team_mention_ids=teams, link_ids=links, file_ids=files, share=True
        )
        return await self._say(conversation_id, said)

    async def _say(self, conversation_id: int, given: AddComment) -> EventSpec | None:
        try:
            said = await self.api().post(f"/conversations/{conversation_id}/comments", given, Comment)
            view = self.seen()
            detail = view.details.get(conversation_id)
            if detail is not None and all(each.id != said.id for each in detail.comments):
                fresh = replace(detail, comments=[*detail.comments, said])
                await self.become(replace(view, details=view.details | {conversation_id: fresh}))
        except ApiError as refused:
            return self.fault(refused)
        return None
