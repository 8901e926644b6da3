"""The inbox of one tab: the open list (`list_state`), its filters (`view_state`), the conversations that stand in the
page (`standing_state`), and what people do with them (`deed_state`), also with many at once (`many_state`).

They are one state and not several, for a change touches the list and the conversations together.
"""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from backend.mailboxes.contracts import MailboxDeed
from frontend.api import ApiError
from frontend.inbox.about import NO_MAILBOX, AboutView, paint_about
from frontend.inbox.colleagues import AssignableView, MentionView, paint_assignable, paint_mentionable
from frontend.inbox.deed_state import DeedState
from frontend.inbox.many_state import ManyState
from frontend.inbox.merging_state import MergingState
from frontend.inbox.moving_state import MovingState
from frontend.inbox.search_state import SearchState
from frontend.inbox.sharing import SharableView, paint_sharable
from frontend.inbox.sharing_state import SharingState
from frontend.inbox.splitting_state import SplittingState
from frontend.inbox.standing_state import StandingState
from frontend.inbox.tags import LabelView, paint_tags
from frontend.inbox.view_state import ViewState
from frontend.session import Session
from frontend.view import View


class Inbox(
    ViewState,
    SearchState,
    DeedState,
    SharingState,
    MergingState,
    SplittingState,
    MovingState,
    ManyState,
    StandingState,
    Session,
):
    """List and conversations."""

    assignable: list[AssignableView] = []
    mentionable: list[MentionView] = []
    tags: list[LabelView] = []
    sharable: list[SharableView] = []
    about: AboutView = NO_MAILBOX

    @rx.event
    async def tell_about(self) -> EventSpec | None:
        """What is told of the open mailbox."""
        mailbox = self.seen().mailboxes.get(self.mailbox_id)
        if mailbox is None:
            return None
        self.about = paint_about(self.seen(), mailbox, [])
        try:
            deeds = await self.api().get(f"/mailboxes/{mailbox.id}/activity", list[MailboxDeed])
        except ApiError as refused:
            return self.fault(refused)
        self.about = paint_about(self.seen(), mailbox, deeds)
        return None

    def repaint(self, before: View | None, view: View) -> None:
        """Paint the list and the places whose conversations changed."""
        names = before is None or before.people is not view.people or before.teams is not view.teams
        if before is None or before.tags is not view.tags:
            names = True
            self.tags = paint_tags(view)
        read = before is None or before.marks is not view.marks or before.mailboxes is not view.mailboxes
        if before is not None and any(
            each["id"] in before.rows and each["id"] not in view.rows for each in self.linkable
        ):
            self.linkable = [each for each in self.linkable if each["id"] not in before.rows or each["id"] in view.rows]
        views = before is None or before.views is not view.views
        if names or read or views or before is None or before.rows is not view.rows:
            self.paint_list(view)
        if names or views or before is None or before.mailboxes is not view.mailboxes or before.me is not view.me:
            self.paint_sharing(view)
        self.paint_filters(view)
        if names or before is None or before.mailboxes is not view.mailboxes:
            self.assignable = paint_assignable(view)
            self.mentionable = paint_mentionable(view)
            self.sharable = paint_sharable(view)
        self.paint_places(view, everything=names or before is None or before.mailboxes is not view.mailboxes)

    async def catch_up(self) -> None:
        """Fetch the first page again after old mail was stored; fetch bodies that events brought without."""
        if self._view is None or self._listing is None:
            return
        await self._list_again()
        await self.fetch_rearranged()
        await self._fetch_bodies()
        await self.fetch_links()


Session.painters.append(Inbox)
