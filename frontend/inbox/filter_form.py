"""Filters as a form shows them, as it gives them back, and in words. Pure, over the view."""

from __future__ import annotations

from typing import Any, TypedDict, get_args

from backend.conversations.contracts import Status, Visibility
from backend.views.contracts import Filters, Order, SavedView
from frontend.view import View

STATUSES: dict[str, tuple[str, list[Status]]] = {
    "open": ("Open", ["open"]),
    "done": ("Done", ["done"]),
    "both": ("Open and done", []),
    "spam": ("Spam", ["spam"]),
    "trash": ("Trash", ["trash"]),
}
VISIBILITIES: dict[str, tuple[str, list[Visibility]]] = {
    "": ("Whoever sees it", []),
    "open": ("Open to the mailbox", ["open"]),
    "private": ("Private", ["private"]),
    "confidential": ("Confidential", ["confidential"]),
    "hidden": ("Private or confidential", ["private", "confidential"]),
}
ASSIGNED = {"to_anybody": "Anybody or nobody", "to_me": "Me", "to_nobody": "Nobody"}
MATCHES = {"all": "All of it", "any": "Any of it"}
ORDERS = {"newest": "Newest first", "oldest": "Oldest first"}
SHARED = {"nobody": "Only me", "everybody": "Everybody"}


class FilterForm(TypedDict):
    """What the fields hold at first."""

    words: str
    correspondent: str
    status: str
    assigned: str
    visibility: str
    order: str
    mailbox_ids: list[int]
    tag_ids: list[int]
    every_tag: bool
    unread: bool
    reminded: bool
    starred: bool
    followed: bool
    match: str
    person_ids: list[int]
    team_ids: list[int]
    newer: str
    older: str


def paint_form(filters: Filters) -> FilterForm:
    return FilterForm(
        words=filters.words,
        correspondent=filters.correspondent,
        status=next((key for key, (_, value) in STATUSES.items() if value == filters.statuses), "both"),
        assigned="to_anybody" if filters.assigned == "to_these" else filters.assigned,
        visibility=next((key for key, (_, value) in VISIBILITIES.items() if value == filters.visibilities), ""),
        order=filters.order,
        mailbox_ids=filters.mailbox_ids,
        tag_ids=filters.tag_ids,
        every_tag=filters.every_tag,
        unread=filters.unread,
        reminded=filters.reminded,
        starred=filters.starred,
        followed=filters.followed,
        match=filters.match,
        person_ids=filters.person_ids,
        team_ids=filters.team_ids,
        newer=str(filters.newer_than_days or ""),
        older=str(filters.older_than_days or ""),
    )


NO_FORM = paint_form(Filters())


def read_form(form: dict[str, Any]) -> Filters:
    """The filters that somebody chose. What the form cannot hold counts as nothing chosen."""
    assigned = form.get("assigned")
    people, teams = _ticked(form, "person"), _ticked(form, "team")
    order: Order = "oldest" if form.get("order") == "oldest" else "newest"
    return Filters(
        words=" ".join(str(form.get("words", "")).split()),
        correspondent=str(form.get("correspondent", "")).strip().lower(),
        statuses=STATUSES.get(str(form.get("status")), STATUSES["open"])[1],
        assigned="to_these" if people or teams else assigned if assigned in ("to_me", "to_nobody") else "to_anybody",
        person_ids=people,
        team_ids=teams,
        visibilities=VISIBILITIES.get(str(form.get("visibility")), VISIBILITIES[""])[1],
        mailbox_ids=_ticked(form, "mailbox"),
        tag_ids=_ticked(form, "tag"),
        every_tag=bool(form.get("every_tag")),
        unread=bool(form.get("unread")),
        reminded=bool(form.get("reminded")),
        starred=bool(form.get("starred")),
        followed=bool(form.get("followed")),
        match="any" if form.get("match") == "any" else "all",
        newer_than_days=_days(form.get("newer")),
        older_than_days=_days(form.get("older")),
        order=order,
    )


def _ticked(form: dict[str, Any], kind: str) -> list[int]:
    """The numbers of the ticked boxes named `kind-NUMBER`."""
    found = [name.removeprefix(f"{kind}-") for name, value in form.items() if name.startswith(f"{kind}-") and value]
    return sorted(int(each) for each in found if each.isdecimal())


def _days(typed: Any) -> int | None:
    text = str(typed or "").strip()
    return int(text) if text.isdecimal() and int(text) else None


def filter_words(view: View, filters: Filters) -> str:
    """What is filtered by, in a line."""
    scope = [STATUSES[paint_form(filters)["status"]][0]]
    scope += [view.mailboxes[i].name for i in filters.mailbox_ids if i in view.mailboxes]
    if hidden := len([i for i in filters.mailbox_ids if i not in view.mailboxes]):
        scope.append(f"{hidden} {'mailbox' if hidden == 1 else 'mailboxes'} that you cannot open")
    parts = _fitting(view, filters)
    if filters.match == "any" and parts:
        parts = [" or ".join(parts)]
    return " · ".join([*scope, *parts, *(["oldest first"] if filters.order == "oldest" else [])])


def _fitting(view: View, filters: Filters) -> list[str]:
    """What is filtered by within mailboxes and statuses."""
    parts = _who(view, filters)
    tags = [view.tags[i].name if i in view.tags else "a tag that is gone" for i in filters.tag_ids]
    if tags:
        parts.append((" and " if filters.every_tag else " or ").join(tags))
    marks = (
        (filters.unread, "unread"),
        (filters.starred, "starred"),
        (filters.followed, "followed by you"),
        (filters.reminded, "with a reminder"),
    )
    parts += [word for given, word in marks if given]
    if filters.visibilities:
        parts.append(VISIBILITIES[paint_form(filters)["visibility"]][0].lower())
    if filters.correspondent:
        parts.append(f"with {filters.correspondent}")
    if filters.words:
        parts.append(f"“{filters.words}”")
    for word, days in (("newer", filters.newer_than_days), ("older", filters.older_than_days)):
        if days is not None:
            parts.append(f"{word} than {days} {'day' if days == 1 else 'days'}")
    return parts


def _who(view: View, filters: Filters) -> list[str]:
    match filters.assigned:
        case "to_me":
            return ["assigned to you"]
        case "to_nobody":
            return ["assigned to nobody"]
        case "to_these":
            people = [view.people[i].name for i in filters.person_ids if i in view.people]
            teams = [view.teams[i].name for i in filters.team_ids if i in view.teams]
            return ["assigned to " + (" or ".join([*people, *teams]) or "somebody who is gone")]
        case _:
            return []


def shared_words(view: View, saved: SavedView) -> str:
    """With whom a view is shared, and whose it is."""
    maker = view.people.get(saved.maker_id)
    whose = "yours" if saved.maker_id == view.me.person.id else f"made by {maker.name if maker else 'somebody'}"
    match saved.shared:
        case "nobody":
            return "Only you see it"
        case "everybody":
            return f"Shared with everybody, {whose}"
        case "team":
            team = view.teams.get(saved.team_id or 0)
            return f"Shared with {team.name if team else 'a team'}, {whose}"


def single_status(filters: Filters) -> str:
    """The one status of everything in the list; `several` where there is none."""
    return filters.statuses[0] if len(filters.statuses) == 1 else "several"


assert set(get_args(Status)) == {status for _, value in STATUSES.values() for status in value}
