"""Views as they cross the wire."""

from typing import Literal

import msgspec

from backend.contracts import Contract
from backend.conversations.contracts import Status, Visibility

Assigned = Literal["to_anybody", "to_me", "to_nobody", "to_these"]
Match = Literal["all", "any"]
Order = Literal["newest", "oldest"]
Shared = Literal["nobody", "team", "everybody"]


class Filters(Contract):
    """What a view holds: the conversations that fit what is said here, of those that who looks may see.

    `match`: of the mailboxes and the statuses they have, they fit all the rest that is said, or any of it.
    Empty lists say nothing, except `statuses`: all but spam and trash. `to_me` is who looks, not who made the view.
    `correspondent` is an address, or a domain. `words` is a search (`/search`). Days are counted from
    a conversation's last mail. What somebody has snoozed stands in a view for them only where `reminded` asks for it.
    """

    mailbox_ids: list[int] = []
    statuses: list[Status] = msgspec.field(default_factory=lambda: ["open"])
    assigned: Assigned = "to_anybody"
    person_ids: list[int] = []
    team_ids: list[int] = []
    tag_ids: list[int] = []
    every_tag: bool = False
    unread: bool = False
    reminded: bool = False
    starred: bool = False
    followed: bool = False
    match: Match = "all"
    visibilities: list[Visibility] = []
    correspondent: str = ""
    words: str = ""
    newer_than_days: int | None = None
    older_than_days: int | None = None
    order: Order = "newest"


class SavedView(Contract):
    """A view that somebody saved. `team_id` is whom it is shared with, where it is with a team."""

    id: int
    name: str
    maker_id: int
    shared: Shared
    team_id: int | None
    filters: Filters
    version: int


class SaveView(Contract):
    """A view as its maker wants it."""

    name: str
    filters: Filters
    shared: Shared = "nobody"
    team_id: int | None = None


class ViewCount(Contract):
    """How many open conversations of a view the asking person sees; 100 means that many or more."""

    view_id: int
    open: int


class ViewChanged(Contract, tag="view_changed"):
    """Made, changed, or shared with the receiver from now on."""

    view: SavedView


class ViewGone(Contract, tag="view_gone"):
    """Deleted, or no longer shared with the receiver."""

    view_id: int
