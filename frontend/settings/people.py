"""People, invitations and teams: for admins."""

from __future__ import annotations

from typing import Any, TypedDict

import msgspec
import reflex as rx
from reflex.event import EventSpec

from backend.people.contracts import (
    CreateInvitation,
    Invitation,
    InvitationCreated,
    PasswordLink,
    Person,
    SaveTeam,
    Team,
    UpdatePerson,
)
from frontend.api import ApiError, SignedOut
from frontend.components.forms import (
    card,
    check_field,
    choice_field,
    problem,
    secret_line,
    settings_page,
    submit,
    sure,
    text_field,
)
from frontend.components.parts import avatar, icon, icon_button
from frontend.components.widgets import ago
from frontend.faces import Face, person_face
from frontend.session import Session
from frontend.settings.unverified import unverified_button
from frontend.view import View

ROLES = (("member", "Member"), ("admin", "Admin"))


class PersonView(TypedDict):
    id: int
    name: str
    email: str
    role: str
    active: bool
    me: bool
    face: Face


class TeamView(TypedDict):
    id: int
    name: str
    members: list[str]
    member_ids: list[int]


class InvitationView(TypedDict):
    id: int
    email: str
    role: str
    expires: str


class People(Session):
    """Who belongs to the organisation."""

    people: list[PersonView] = []
    teams: list[TeamView] = []
    invitations: list[InvitationView] = []
    problem: str = ""
    link: str = ""
    link_for: str = ""
    invited: int = 0
    """So many invitations were made here: each leaves an empty form, and a refusal leaves what was typed."""
    editing_team: int = -1
    """The team whose form stands open; 0 a new one, -1 none."""

    def repaint(self, before: View | None, view: View) -> None:
        """Follow people and teams."""
        if before is None or before.people is not view.people or before.teams is not view.teams:
            self.people = [
                PersonView(
                    id=each.id,
                    name=each.name,
                    email=each.email,
                    role=each.role,
                    active=each.active,
                    me=each.id == view.me.person.id,
                    face=person_face(each),
                )
                for each in sorted(view.people.values(), key=lambda each: (not each.active, each.name.casefold()))
            ]
            self.teams = [
                TeamView(
                    id=team.id,
                    name=team.name,
                    members=[view.people[i].name for i in team.member_ids if i in view.people],
                    member_ids=list(team.member_ids),
                )
                for team in sorted(view.teams.values(), key=lambda each: each.name.casefold())
            ]

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        if self._anew:
            self.link, self.problem, self.editing_team = "", "", -1
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        if self._view is None or not self.me["admin"]:
            return None
        try:
            invitations = await self.api().get("/invitations", list[Invitation])
        except ApiError as refused:
            return self.fault(refused)
        self.invitations = [
            InvitationView(id=each.id, email=each.email, role=each.role, expires=each.expires_at.isoformat())
            for each in invitations
            if not each.accepted
        ]
        return None

    @rx.event
    async def invite(self, form: dict[str, Any]) -> EventSpec | None:
        """Invite an address; the link is shown once."""
        try:
            wanted = msgspec.convert(
                {
                    "email": str(form.get("email", "")).strip(),
                    "role": form.get("role") or "member",
                    "team_ids": checked(form, "team"),
                    "mailbox_ids": checked(form, "mailbox"),
                },
                CreateInvitation,
            )
            made = await self.api().post("/invitations", wanted, InvitationCreated)
        except msgspec.ValidationError:
            self.problem = "There is no such role."
            return None
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.problem = ""
        self.invited += 1
        self.link = made.link
        self.link_for = f"Invitation for {made.invitation.email}" + (", also sent by mail" if made.mailed else "")
        return await self._fetch()

    @rx.event
    async def withdraw(self, invitation_id: int) -> EventSpec | None:
        """Take an invitation back."""
        try:
            await self.api().delete(f"/invitations/{invitation_id}")
        except ApiError as refused:
            return self.fault(refused)
        self.link = ""
        return await self._fetch()

    @rx.event
    async def set_role(self, person_id: int, role: str) -> EventSpec | None:
        """Admin or member."""
        try:
            wanted = msgspec.convert({"role": role}, UpdatePerson)
            await self.api().patch(f"/people/{person_id}", wanted, Person)
        except msgspec.ValidationError:
            self.say("There is no such role.", tone="red")
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def set_active(self, person_id: int, active: bool) -> EventSpec | None:
        """Close somebody's account, or open it again."""
        try:
            await self.api().patch(f"/people/{person_id}", UpdatePerson(active=active), Person)
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def password_link(self, person_id: int) -> EventSpec | None:
        """A link to choose a new password, to hand over."""
        try:
            made = await self.api().post(f"/people/{person_id}/password-link", None, PasswordLink)
        except ApiError as refused:
            return self.fault(refused)
        name = next((each["name"] for each in self.people if each["id"] == person_id), "")
        self.link, self.link_for = made.link, f"New password for {name}"
        return None

    @rx.event
    def edit_team(self, team_id: int) -> None:
        """Open a team's form."""
        self.editing_team, self.problem = team_id, ""

    @rx.event
    async def save_team(self, form: dict[str, Any]) -> EventSpec | None:
        """Name and members of the team whose form stands open."""
        wanted = SaveTeam(name=str(form.get("name", "")).strip(), member_ids=checked(form, "person"))
        try:
            if self.editing_team > 0:
                await self.api().put(f"/teams/{self.editing_team}", wanted, Team)
            else:
                await self.api().post("/teams", wanted, Team)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.editing_team, self.problem = -1, ""
        self.say("Team saved")
        return None

    @rx.event
    async def delete_team(self, team_id: int) -> EventSpec | None:
        """Dissolve a team."""
        try:
            await self.api().delete(f"/teams/{team_id}")
        except ApiError as refused:
            return self.fault(refused)
        self.editing_team = -1
        return None


def checked(form: dict[str, Any], kind: str) -> list[int]:
    """The ids of the ticked boxes named `kind-ID`."""
    names = [name.removeprefix(f"{kind}-") for name, value in form.items() if name.startswith(f"{kind}-") and value]
    return sorted(int(name) for name in names if name.isdigit())


Session.painters.append(People)
_state: Any = People


def for_admins(*children: rx.Component) -> rx.Component:
    """What admins see; for others a sentence stands there."""
    return rx.cond(
        _state.me.admin,
        rx.fragment(*children),
        rx.cond(_state.ready, rx.el.p("Only admins change these settings.", class_name="third")),
    )


def people() -> rx.Component:
    """Everybody, and who is invited."""
    return settings_page(
        "People",
        for_admins(
            rx.cond(
                _state.link != "",
                rx.el.div(
                    rx.el.b(_state.link_for),
                    rx.el.p("Hand this link over. It is not shown again.", class_name="third"),
                    secret_line(_state.link),
                    class_name="once",
                ),
            ),
            card("People", rx.el.ul(rx.foreach(_state.people, _person), class_name="lines")),
            rx.cond(
                _state.invitations.length() > 0,
                card("Invited", rx.el.ul(rx.foreach(_state.invitations, _invitation), class_name="lines")),
            ),
            card(
                "Invite somebody",
                rx.el.form(
                    problem(_state.problem),
                    rx.el.div(
                        text_field("Email address", "email", kind="email", required=True),
                        choice_field("Role", "role", ROLES, value="member"),
                        class_name="two-fields",
                    ),
                    rx.cond(
                        _state.groups.length() > 0,
                        rx.el.fieldset(
                            rx.el.legend("Mailboxes", class_name="label"),
                            rx.foreach(
                                _state.groups, lambda each: check_field(each.name, "mailbox-" + each.id.to_string())
                            ),
                            class_name="checks",
                        ),
                    ),
                    rx.cond(
                        _state.teams.length() > 0,
                        rx.el.fieldset(
                            rx.el.legend("Teams", class_name="label"),
                            rx.foreach(
                                _state.teams, lambda each: check_field(each.name, "team-" + each.id.to_string())
                            ),
                            class_name="checks",
                        ),
                    ),
                    submit("Invite"),
                    on_submit=_state.invite,
                    key=_state.invited.to_string(),
                    class_name="form",
                ),
            ),
        ),
    )


def _person(person: Any) -> rx.Component:
    return rx.el.li(
        avatar(person.face),
        rx.el.div(
            rx.el.b(person.name, rx.cond(person.me, " (you)", "")),
            rx.el.small(person.email, rx.cond(person.active, "", " · account closed")),
            class_name="line-text",
        ),
        rx.cond(person.active, unverified_button(person.email)),
        rx.cond(
            (person.role == "owner") | person.me,
            rx.el.span(rx.match(person.role, ("owner", "Owner"), ("admin", "Admin"), "Member"), class_name="tag"),
            rx.fragment(
                rx.el.select(
                    *(rx.el.option(text, value=key) for key, text in ROLES),
                    value=person.role,
                    on_change=lambda role: _state.set_role(person.id, role),
                    class_name="select small",
                    custom_attrs={"aria-label": "Role of " + person.name},
                ),
                icon_button("key-round", "New password for " + person.name, on_click=_state.password_link(person.id)),
                rx.cond(
                    person.active,
                    rx.el.button(
                        "Close account", type="button", class_name="btn", on_click=_state.set_active(person.id, False)
                    ),
                    rx.el.button(
                        "Open account", type="button", class_name="btn", on_click=_state.set_active(person.id, True)
                    ),
                ),
            ),
        ),
        class_name=rx.cond(person.active, "person-line", "person-line closed"),
        key=person.id,
    )


def _invitation(invitation: Any) -> rx.Component:
    return rx.el.li(
        icon("mail", 16),
        rx.el.div(
            rx.el.b(invitation.email),
            rx.el.small("The link works until ", ago(at=invitation.expires, long=True)),
            class_name="line-text",
        ),
        rx.el.button("Take back", type="button", class_name="btn", on_click=_state.withdraw(invitation.id)),
        key=invitation.id,
    )


def teams() -> rx.Component:
    """Teams and their members."""
    return settings_page(
        "Teams",
        for_admins(
            rx.cond(
                _state.teams.length() > 0,
                card("Teams", rx.el.ul(rx.foreach(_state.teams, _team), class_name="lines")),
                rx.cond(_state.editing_team != 0, rx.el.p("There are no teams yet.", class_name="third")),
            ),
            rx.cond(_state.editing_team == 0, card("New team", _team_form("", None))),
        ),
        lead="A team can be given access to mailboxes, be assigned conversations, and be mentioned.",
        aside=rx.cond(
            _state.me.admin,
            rx.el.button(icon("plus", 15), "Add a team", type="button", class_name="btn", on_click=_state.edit_team(0)),
        ),
    )


def _team(team: Any) -> rx.Component:
    return rx.el.li(
        rx.cond(
            _state.editing_team == team.id,
            _team_form(team.name, team),
            rx.fragment(
                rx.el.span(icon("users-round", 16), class_name="notice-icon t-violet"),
                rx.el.div(
                    rx.el.b(team.name), rx.el.small(team.members.join(", "), class_name="el"), class_name="line-text"
                ),
                rx.el.button("Edit", type="button", class_name="btn", on_click=_state.edit_team(team.id)),
            ),
        ),
        key=team.id,
    )


def _team_form(name: Any, team: Any | None) -> rx.Component:
    return rx.el.form(
        problem(_state.problem),
        text_field("Name", "name", value=name, required=True),
        rx.el.fieldset(
            rx.el.legend("Members", class_name="label"),
            rx.foreach(
                _state.people,
                lambda each: check_field(
                    each.name,
                    "person-" + each.id.to_string(),
                    checked=team.member_ids.contains(each.id) if team is not None else False,
                ),
            ),
            class_name="checks",
        ),
        rx.el.div(
            rx.el.button("Save", type="submit", class_name="btn pri"),
            rx.el.button("Cancel", type="button", class_name="btn q", on_click=_state.edit_team(-1)),
            rx.el.span(class_name="grow"),
            sure(
                "Delete team",
                "Its members lose the mailboxes that they open through it. Their accounts stay.",
                "Delete",
                _state.delete_team(team.id),
            )
            if team is not None
            else rx.fragment(),
            class_name="form-foot",
        ),
        on_submit=_state.save_team,
        class_name="form wide",
    )
