"""My profile, my password, my API tokens."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from msgspec import UNSET
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.people.contracts import (
    ApiToken,
    ChangePassword,
    CreateToken,
    Me,
    Organisation,
    TokenCreated,
    UpdateOrganisation,
    UpdateProfile,
)
from frontend.api import ApiError, SignedOut
from frontend.components.forms import (
    card,
    choice_field,
    problem,
    secret_line,
    settings_page,
    submit,
    sure,
    text_field,
)
from frontend.components.parts import avatar, icon
from frontend.components.widgets import ago, away_words
from frontend.session import Session

LANGUAGES = (
    ("en", "English"),
    ("en-GB", "English (day first)"),
    ("en-US", "English (month first)"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("pt", "Português"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("sv", "Svenska"),
    ("pl", "Polski"),
)
THEMES = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))


class TokenView(TypedDict):
    id: int
    name: str
    prefix: str
    created: str
    used: str


class Profile(Session):
    """What a person changes about themselves."""

    problem: str = ""
    password_problem: str = ""
    password_forms: int = 0
    token_forms: int = 0
    """So many forms were used up: each leaves an empty one, and a refusal leaves what was typed."""
    tokens: list[TokenView] = []
    secret: str = ""

    @rx.event
    async def save_profile(self, form: dict[str, Any]) -> EventSpec | None:
        """Name, language, time zone, theme."""
        try:
            me = await self.api().patch(
                "/me",
                UpdateProfile(
                    name=str(form.get("name", "")).strip(),
                    locale=str(form.get("locale", "")) or UNSET,
                    time_zone=str(form.get("time_zone", "")).strip() or "UTC",
                    theme=form.get("theme", "system"),
                ),
                Me,
            )
            view = self.seen()
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.problem = ""
        await self.become(replace(view, me=me, people=view.people | {me.person.id: me.person}))
        self.say("Profile saved")
        return None

    @rx.event
    async def change_password(self, form: dict[str, Any]) -> EventSpec | None:
        """A new password; other browsers are signed out."""
        try:
            await self.api().post(
                "/me/password",
                ChangePassword(current=str(form.get("current", "")), new=str(form.get("new", ""))),
            )
        except ApiError as refused:
            self.password_problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.password_problem = ""
        self.password_forms += 1
        self.say("Password changed. Other browsers were signed out")
        return None

    @rx.event
    async def list_tokens(self) -> EventSpec | None:
        """On the page's load."""
        if self._anew:
            self.secret, self.problem = "", ""
        return await self._fetch()

    @rx.event
    async def create_token(self, form: dict[str, Any]) -> EventSpec | None:
        """A new API token. Its secret is shown once."""
        try:
            made = await self.api().post("/me/tokens", CreateToken(name=str(form.get("name", ""))), TokenCreated)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.problem = ""
        self.token_forms += 1
        self.secret = made.secret
        return await self._fetch()

    @rx.event
    async def delete_token(self, token_id: int) -> EventSpec | None:
        """Programs that use it are refused from now on."""
        try:
            await self.api().delete(f"/me/tokens/{token_id}")
        except ApiError as refused:
            return self.fault(refused)
        self.secret = ""
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        if self._view is None:
            return None
        try:
            tokens = await self.api().get("/me/tokens", list[ApiToken])
        except ApiError as refused:
            return self.fault(refused)
        self.tokens = [
            TokenView(
                id=each.id,
                name=each.name,
                prefix=each.prefix,
                created=each.created_at.isoformat(),
                used=each.last_used_at.isoformat() if each.last_used_at else "",
            )
            for each in tokens
        ]
        return None

    @rx.event
    async def save_organisation(self, form: dict[str, Any]) -> EventSpec | None:
        """Rename the organisation."""
        try:
            await self.api().patch(
                "/organisation", UpdateOrganisation(name=str(form.get("name", "")).strip()), Organisation
            )
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.problem = ""
        self.say("Organisation saved")
        return None


_state: Any = Profile


def profile() -> rx.Component:
    """My profile and password."""
    me = _state.me
    return settings_page(
        "Profile",
        rx.cond(
            _state.ready,
            rx.fragment(
                card(
                    "You",
                    rx.el.form(
                        problem(_state.problem),
                        rx.el.div(
                            avatar(me.face),
                            rx.el.div(rx.el.b(me.name), rx.el.div(me.email, class_name="third")),
                            class_name="side-head",
                        ),
                        text_field("Name", "name", value=me.name, required=True, autocomplete="name"),
                        rx.el.div(
                            choice_field("Theme", "theme", THEMES, value=me.theme),
                            choice_field("Dates and numbers", "locale", LANGUAGES, value=me.locale),
                            class_name="two-fields",
                        ),
                        text_field(
                            "Time zone",
                            "time_zone",
                            value=rx.cond(me.time_zone == "UTC", "", me.time_zone),
                            placeholder="As the browser",
                            hint="Such as Europe/Lisbon. Leave it empty to follow your browser.",
                        ),
                        submit("Save"),
                        on_submit=_state.save_profile,
                        key=me.id.to_string(),
                        class_name="form",
                    ),
                ),
                _away(me),
                card(
                    "Password",
                    rx.el.form(
                        problem(_state.password_problem),
                        text_field(
                            "Current password", "current", kind="password", required=True,
                            autocomplete="current-password",
                        ),
                        text_field(
                            "New password", "new", kind="password", required=True, autocomplete="new-password",
                            hint="At least 10 characters.",
                        ),
                        submit("Change the password"),
                        on_submit=_state.change_password,
                        key=_state.password_forms.to_string(),
                        class_name="form",
                    ),
                ),
            ),
        ),
    )  # fmt: skip


def _away(me: Any) -> rx.Component:
    """Whether I am away, and until when. The day is one of my own calendar (assets/js/away.js)."""
    return card(
        "Away",
        rx.cond(
            me.away != "",
            rx.el.div(
                rx.el.p("Your team sees that you are ", away_words(me.face), ". New mail is given to others."),
                rx.el.button("I am back", type="button", class_name="btn pri", custom_attrs={"data-absent": "back"}),
                class_name="away-card",
            ),
            rx.el.div(
                rx.el.p(
                    "Your name is marked, and mailboxes that give out new mail in turn pass you over. "
                    "What is assigned to you stays yours.",
                    class_name="hint",
                ),
                rx.el.label(
                    rx.el.span("Back on", class_name="label"),
                    rx.el.input(type="date", class_name="input", custom_attrs={"data-absent-day": "yes"}),
                    class_name="field",
                ),
                rx.el.button("Set away", type="button", class_name="btn pri", custom_attrs={"data-absent": "day"}),
                class_name="away-card",
            ),
        ),
    )


def tokens() -> rx.Component:
    """My API tokens."""
    return settings_page(
        "API tokens",
        rx.cond(
            _state.secret != "",
            rx.el.div(
                rx.el.b("Copy the token now: it is not shown again."), secret_line(_state.secret), class_name="once"
            ),
        ),
        card(
            "Your tokens",
            rx.cond(
                _state.tokens.length() == 0,
                rx.el.p("You have none yet.", class_name="third"),
                rx.el.ul(rx.foreach(_state.tokens, _token), class_name="lines"),
            ),
        ),
        card(
            "New token",
            rx.el.form(
                problem(_state.problem),
                text_field("What is it for?", "name", required=True, placeholder="Reporting script"),
                submit("Create"),
                on_submit=_state.create_token,
                key=_state.token_forms.to_string(),
                class_name="form",
            ),
        ),
        lead="A program that sends a token may do what you may do. Give each program its own.",
    )


def _token(token: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.b(token.name),
            rx.el.small(
                token.prefix,
                "… · made ",
                ago(at=token.created, long=True),
                rx.cond(token.used != "", rx.fragment(" · last used ", ago(at=token.used, long=True)), " · never used"),
            ),
            class_name="line-text",
        ),
        sure(
            "Delete " + token.name,
            "The program that uses it is refused from then on.",
            "Delete",
            _state.delete_token(token.id),
            face=icon("trash-2"),
        ),
        key=token.id,
    )


def organisation() -> rx.Component:
    """The organisation's own settings."""
    return settings_page(
        "Organisation",
        rx.cond(
            _state.me.admin,
            card(
                "Organisation",
                rx.el.form(
                    problem(_state.problem),
                    text_field("Name", "name", value=_state.organisation, required=True),
                    submit("Save"),
                    on_submit=_state.save_organisation,
                    class_name="form",
                ),
            ),
            rx.el.p("Only admins change these settings.", class_name="third"),
        ),
    )
