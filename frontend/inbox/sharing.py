"""Whom one conversation can be shown to, and who sees it already. Pure, over the view."""

from __future__ import annotations

from typing import TypedDict

from backend.conversations.contracts import ConversationDetail, ConversationRow
from frontend.faces import Face, person_face, team_face
from frontend.view import View


class SharableView(TypedDict):
    """A person or team in the share menu. `mailboxes`: the ids that they can open, with blanks between."""

    user: int
    team: int
    name: str
    face: Face
    mailboxes: str


def paint_sharable(view: View) -> list[SharableView]:
    """Colleagues, then teams; who can open the mailbox needs no share, which the menu looks at."""
    opened = {each.id: set(each.reader_ids) for each in view.mailboxes.values()}
    people = [
        SharableView(
            user=each.id,
            team=0,
            name=each.name,
            face=person_face(each),
            mailboxes=" ".join(str(i) for i, readers in opened.items() if each.id in readers),
        )
        for each in sorted(view.people.values(), key=lambda each: each.name.casefold())
        if each.active and each.id != view.me.person.id
    ]
    teams = [
        SharableView(
            user=0,
            team=each.id,
            name=each.name,
            face=team_face(each.name),
            mailboxes=" ".join(
                str(i) for i, readers in opened.items() if each.member_ids and set(each.member_ids) <= readers
            ),
        )
        for each in sorted(view.teams.values(), key=lambda each: each.name.casefold())
    ]
    return [*people, *teams]


def is_guest(view: View, row: ConversationRow) -> bool:
    """Whether the conversation is only shared with this person: its mailbox is not theirs to open."""
    return row.mailbox_id not in view.mailboxes


def seers(view: View, detail: ConversationDetail) -> list[int]:
    """Who can be mentioned here beside those who can open the mailbox, as far as I see that."""
    row = detail.row
    if is_guest(view, row):
        return [*detail.viewer_ids]
    if row.visibility != "open":
        return []
    members = [i for team in row.shared_team_ids if team in view.teams for i in view.teams[team].member_ids]
    return sorted({*row.shared_user_ids, *members})


def share_names(view: View, row: ConversationRow) -> str:
    """With whom it is shared, in one line."""
    if row.visibility != "open":
        return ""
    people = [view.people[i].name for i in row.shared_user_ids if i in view.people]
    teams = [view.teams[i].name for i in row.shared_team_ids if i in view.teams]
    return ", ".join([*people, *teams])


def share_marks(row: ConversationRow) -> str:
    """What is ticked in the share menu: `u5 t3`."""
    return " ".join([*(f"u{i}" for i in row.shared_user_ids), *(f"t{i}" for i in row.shared_team_ids)])
