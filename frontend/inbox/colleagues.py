"""Who a conversation can be given to, and who can be mentioned in it. Pure, over the view."""

from __future__ import annotations

from typing import TypedDict

from frontend.faces import Face, away_until, initials, person_face, team_face
from frontend.view import View


class AssignableView(TypedDict):
    """A person or team in the assign menu. `mailboxes`: the ids that they can open, with blanks between."""

    user: int
    team: int
    name: str
    face: Face
    mailboxes: str


class MentionView(TypedDict):
    """`away`: until when, of somebody who is."""

    id: int
    name: str
    away: str
    initials: str
    colour: int
    team: bool
    mailboxes: list[int]


def paint_assignable(view: View) -> list[AssignableView]:
    """Me first, then colleagues, then teams."""
    me = view.me.person.id
    people = sorted(
        (each for each in view.people.values() if each.active), key=lambda each: (each.id != me, each.name.casefold())
    )
    painted = [
        AssignableView(
            user=each.id,
            team=0,
            name=f"{each.name} (me)" if each.id == me else each.name,
            face=person_face(each),
            mailboxes=_words(_readable(view, {each.id})),
        )
        for each in people
    ]
    painted += [
        AssignableView(
            user=0,
            team=team.id,
            name=team.name,
            face=team_face(team.name),
            mailboxes=_words(_readable(view, set(team.member_ids))),
        )
        for team in sorted(view.teams.values(), key=lambda each: each.name.casefold())
    ]
    return [each for each in painted if each["mailboxes"]]


def paint_mentionable(view: View) -> list[MentionView]:
    """Colleagues and teams, but not me."""
    people = [
        MentionView(
            id=each.id,
            name=each.name,
            away=away_until(each),
            initials=initials(each.name),
            colour=each.colour % 10,
            team=False,
            mailboxes=_readable(view, {each.id}),
        )
        for each in view.people.values()
        if each.active and each.id != view.me.person.id
    ]
    teams = [
        MentionView(
            id=team.id,
            name=team.name,
            away="",
            initials=team.name[:2].upper(),
            colour=9,
            team=True,
            mailboxes=_readable(view, set(team.member_ids)),
        )
        for team in view.teams.values()
    ]
    return sorted([*people, *teams], key=lambda each: each["name"].casefold())


def _readable(view: View, anybody: set[int]) -> list[int]:
    """The mailboxes that one of `anybody` can open, as far as I see them."""
    return [each.id for each in view.mailboxes.values() if anybody & set(each.reader_ids)]


def _words(ids: list[int]) -> str:
    return " ".join(str(each) for each in ids)
