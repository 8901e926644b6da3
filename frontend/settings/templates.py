"""Templates and snippets in the settings: found, written with a preview beside, shared and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.contacts.contracts import AddressSuggestion
from backend.mail.contracts import MailAddress
from backend.templates.contracts import (
    AddFromLibrary,
    LibraryTemplate,
    MergeField,
    Rendered,
    RenderText,
    SaveTemplate,
    Template,
)
from frontend.api import ApiError, SignedOut
from frontend.components.forms import card, choice_field, problem, settings_page, sure, text_field
from frontend.components.parts import empty, icon
from frontend.components.widgets import mail_preview, writer
from frontend.session import Session
from frontend.view import View

KINDS = (("template", "A whole mail"), ("snippet", "A passage"))


class TemplateLine(TypedDict):
    """A template in the list; `notes` says where it is, whose it is, and how often it was used."""

    id: int
    name: str
    kind: str
    begins: str
    notes: str
    changeable: bool


class Form(TypedDict):
    """What stands in the form when it opens; `id` 0 is a new one. `share` is nobody, everybody or a team's id.
    `formatted`: it is written as HTML."""

    id: int
    version: int
    name: str
    kind: str
    folder: str
    share: str
    subject: str
    text: str
    formatted: bool
    html: str


class LibraryLine(TypedDict):
    """A template that comes along; `html` is how it looks with its own fields."""

    key: str
    name: str
    about: str
    folder: str
    html: str


class Choice(TypedDict):
    value: str
    label: str


NEW = Form(
    id=0, version=0, name="", kind="template", folder="", share="nobody", subject="", text="", formatted=True, html=""
)


class Templates(Session):
    """The templates that the person can use, and the one that is being written."""

    lines: list[TemplateLine] = []
    shares: list[Choice] = []
    fields: list[Choice] = []
    query: str = ""
    fetched: bool = False
    form: Form = NEW
    writing: bool = False
    opened: int = 0
    """So often a form was opened: each time it is filled anew."""
    problem: str = ""
    shown_subject: str = ""
    shown_text: str = ""
    shown_html: str = ""
    shown_styles: str = ""
    contact: str = ""
    """For whom the preview is filled in; empty: examples."""
    contacts: list[str] = []
    missing: str = ""
    library: list[LibraryLine] = []
    looking: bool = False
    """Whether the library stands open."""
    not_shown: str = ""
    """Why there is no preview."""

    _templates: list[Template] = []
    _subject: str = ""
    _text: str = ""
    _html: str = ""

    def repaint(self, before: View | None, view: View) -> None:
        if before is None or before.teams is not view.teams:
            mine = [each for each in view.teams.values() if view.me.person.id in each.member_ids]
            self.shares = [
                Choice(value="nobody", label="Only me"),
                Choice(value="everybody", label="Everybody"),
                *(Choice(value=str(each.id), label=each.name) for each in mine),
            ]

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left."""
        self.writing, self.problem, self.query, self.fetched = False, "", "", False
        self.looking, self.contact = False, ""

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        try:
            offered = await self.api().get("/merge-fields", list[MergeField])
        except ApiError as refused:
            return self.fault(refused)
        self.fields = [Choice(value=f"{{{{ {each.name} }}}}", label=each.example) for each in offered]
        return await self._fetch()

    @rx.event
    async def find(self, query: str) -> EventSpec | None:
        """Those with these words."""
        self.query = query
        return await self._fetch()

    @rx.event
    async def write(self, template_id: int) -> AsyncIterator[Any]:
        """Open the form, for a new template or one of the list."""
        try:
            chosen = await self.api().get(f"/templates/{template_id}", Template) if template_id else None
        except ApiError as refused:
            yield self.fault(refused)
            return
        self._begin(NEW if chosen is None else _form(chosen))
        yield
        yield await self._preview()
        yield rx.call_script("document.querySelector('.template-form input')?.focus()")

    def _begin(self, form: Form) -> None:
        self.form = form
        self._subject, self._text, self._html = form["subject"], form["text"], form["html"]
        self.writing, self.looking, self.problem = True, False, ""
        self.opened += 1

    @rx.event
    async def turn(self, formatted: bool) -> EventSpec | None:
        """From formatted to plain text, or back: a line each."""
        lines = "".join(f'<p style="margin:0">{escape(line)}</p>' for line in self._text.split("\n"))
        form: Any = {**self.form, "formatted": formatted, "html": lines, "text": self._text, "subject": self._subject}
        self._begin(form)
        return await self._preview()

    @rx.event
    async def preview_html(self, html: str) -> EventSpec | None:
        """What is written in the editor, filled in."""
        self._html = html
        return await self._preview()

    @rx.event
    async def fill_for(self, contact: str) -> EventSpec | None:
        """Whose data the preview shows."""
        self.contact = contact
        try:
            if len(contact) > 1:
                found = await self.api().get("/addresses", list[AddressSuggestion], q=contact)
                self.contacts = [each.address for each in found[:8]]
        except ApiError as refused:
            return self.fault(refused)
        return await self._preview()

    @rx.event
    async def look(self) -> EventSpec | None:
        """Into the library, and out of it."""
        self.looking, self.writing = not self.looking, False
        if not self.looking or self.library:
            return None
        try:
            found = await self.api().get("/template-library", list[LibraryTemplate])
        except ApiError as refused:
            return self.fault(refused)
        self.library = [
            LibraryLine(key=each.key, name=each.name, about=each.about, folder=each.folder, html=each.html)
            for each in found
        ]
        return None

    @rx.event
    async def add(self, key: str) -> EventSpec | None:
        """Copy one of the library into the organisation's templates."""
        try:
            added = await self.api().post("/template-library", AddFromLibrary(key=key), Template)
        except ApiError as refused:
            return self.fault(refused)
        self.say(f"{added.name} is among your templates")
        return await self._fetch()

    @rx.event
    def leave(self) -> None:
        """Close the form."""
        self.writing, self.problem = False, ""

    @rx.event
    async def preview_text(self, text: str) -> EventSpec | None:
        """What is typed, filled in with examples."""
        self._text = text
        return await self._preview()

    @rx.event
    async def preview_subject(self, subject: str) -> EventSpec | None:
        """The same for the subject."""
        self._subject = subject
        return await self._preview()

    @rx.event
    async def save(self, given: dict[str, Any]) -> EventSpec | None:
        """Keep what was written."""
        share = str(given.get("share", "nobody"))
        wanted = SaveTemplate(
            name=str(given.get("name", "")),
            text=str(given.get("text", "")).replace("\r\n", "\n"),
            kind="snippet" if given.get("kind") == "snippet" else "template",
            folder=str(given.get("folder", "")),
            shared="team" if share.isdigit() else "everybody" if share == "everybody" else "nobody",
            team_id=int(share) if share.isdigit() else None,
            subject=str(given.get("subject", "")),
            version=self.form["version"],
            html=self._html if self.form["formatted"] else None,
        )
        try:
            if self.form["id"]:
                await self.api().put(f"/templates/{self.form['id']}", wanted, Template)
            else:
                await self.api().post("/templates", wanted, Template)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.leave()
        self.say("Saved")
        return await self._fetch()

    @rx.event
    async def remove(self, template_id: int) -> EventSpec | None:
        """Away with a template."""
        try:
            await self.api().delete(f"/templates/{template_id}")
        except ApiError as refused:
            return self.fault(refused)
        self.say("Template deleted")
        return await self._fetch()

    async def _preview(self) -> EventSpec | None:
        try:
            wanted = RenderText(
                subject=self._subject,
                text=self._text,
                html=self._html if self.form["formatted"] else None,
                to=[MailAddress(name="", address=self.contact)] if "@" in self.contact else [],
                examples="@" not in self.contact,
            )
            shown = await self.api().post("/rendered-text", wanted, Rendered)
        except ApiError as refused:
            self.not_shown = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.shown_subject, self.shown_text, self.not_shown = shown.subject, shown.text, ""
        self.shown_html, self.shown_styles = shown.html, shown.styles
        self.missing = ", ".join(each.replace(".", " ").replace("_", " ") for each in shown.missing)
        return None

    async def _fetch(self) -> EventSpec | None:
        view = self._view
        if view is None:
            return None
        try:
            self._templates = await self.api().get("/templates", list[Template], q=self.query)
        except ApiError as refused:
            return self.fault(refused)
        self.lines = [_line_of(view, each) for each in self._templates]
        self.fetched = True
        return None


def _form(template: Template) -> Form:
    return Form(
        id=template.id,
        version=template.version,
        name=template.name,
        kind=template.kind,
        folder=template.folder,
        share=str(template.team_id) if template.shared == "team" else template.shared,
        subject=template.subject,
        text=template.text,
        formatted=template.formatted,
        html=template.html or "",
    )


def _line_of(view: View, template: Template) -> TemplateLine:
    mine = template.maker_id == view.me.person.id
    maker = view.people.get(template.maker_id)
    team = view.teams.get(template.team_id or 0)
    shared = {"nobody": "only yours", "everybody": "shared with everybody", "team": "shared with a team"}
    notes = [
        template.folder,
        f"shared with {team.name}" if template.shared == "team" and team else shared[template.shared],
        "" if mine else f"by {maker.name if maker else 'somebody'}",
        "never used" if not template.uses else "used once" if template.uses == 1 else f"used {template.uses} times",
    ]
    return TemplateLine(
        id=template.id,
        name=template.name,
        kind=template.kind,
        begins=" ".join((template.subject or template.text).split())[:140],
        notes=" · ".join(note for note in notes if note),
        changeable=mine or view.me.person.role in ("owner", "admin"),
    )


Session.painters.append(Templates)
_state: Any = Templates


def templates() -> rx.Component:
    """The list, and the form above it while somebody writes."""
    return settings_page(
        "Templates",
        rx.cond(_state.writing, _writing()),
        rx.cond(_state.looking, _library()),
        rx.el.input(
            type="search",
            placeholder="Find by name, folder or words",
            on_change=_state.find.debounce(200),
            class_name="input",
            custom_attrs={"aria-label": "Find a template"},
        ),
        rx.cond(
            _state.lines.length() > 0,
            card("Templates and snippets", rx.el.ul(rx.foreach(_state.lines, _line), class_name="lines")),
            rx.cond(
                _state.fetched,
                rx.cond(
                    _state.query != "",
                    empty("search", "Nothing found", "Look for other words."),
                    empty("notebook-text", "No templates yet", "What you write again and again needs writing once."),
                ),
            ),
        ),
        lead="Whole mails and passages, with fields that are filled in for whom you write to.",
        aside=rx.fragment(
            rx.el.button(
                icon("library", 15),
                "Library",
                type="button",
                class_name="btn",
                on_click=_state.look,
                custom_attrs={"aria-expanded": _state.looking},
            ),
            rx.el.button(
                icon("plus", 15), "New template", type="button", class_name="btn pri", on_click=_state.write(0)
            ),
        ),
    )


def _writing() -> rx.Component:
    form = _state.form
    return card(
        rx.cond(form.id == 0, "New template", "Change the template"),
        rx.el.form(
            problem(_state.problem),
            rx.el.div(
                text_field("Name", "name", value=form.name, required=True, placeholder="Parcel is late"),
                choice_field("Kind", "kind", KINDS, value=form.kind),
                text_field("Folder", "folder", value=form.folder, placeholder="Support/Delivery"),
                rx.el.label(
                    rx.el.span("Who can use it", class_name="label"),
                    rx.el.select(
                        rx.foreach(_state.shares, lambda each: rx.el.option(each.label, value=each.value)),
                        name="share",
                        default_value=form.share,
                        class_name="select",
                    ),
                    class_name="field",
                ),
                class_name="field-pairs",
            ),
            _typed("Subject", "subject", form.subject, _state.preview_subject, hint="A passage has none."),
            rx.cond(
                form.formatted,
                rx.el.div(
                    rx.el.span("Text", class_name="label"),
                    writer(initial=form.html, label="Text", on_write=_state.preview_html),
                    class_name="field",
                ),
                _typed("Text", "text", form.text, _state.preview_text, area=True),
            ),
            rx.el.button(
                rx.cond(form.formatted, "Write it as plain text", "Write it formatted"),
                type="button",
                class_name="link",
                on_click=_state.turn(~form.formatted),
            ),
            rx.el.details(
                rx.el.summary("Fields that can stand in it"),
                rx.el.ul(
                    rx.foreach(_state.fields, lambda each: rx.el.li(rx.el.code(each.value), rx.el.span(each.label))),
                    class_name="field-list",
                ),
                rx.el.p(
                    "What nobody knows shows its name in brackets before you send. Say instead what to write then: ",
                    rx.el.code('{{ contact.first_name | default("there") }}'),
                    class_name="hint",
                ),
            ),
            rx.el.section(
                rx.el.label(
                    rx.el.span("Filled in for", class_name="label"),
                    rx.el.input(
                        type="email",
                        placeholder="Examples; or the address of a contact",
                        list="template-contacts",
                        default_value=_state.contact,
                        on_change=_state.fill_for.debounce(300),
                        auto_complete="off",
                        class_name="input",
                    ),
                    rx.el.datalist(
                        rx.foreach(_state.contacts, lambda each: rx.el.option(value=each)), id="template-contacts"
                    ),
                    class_name="field",
                ),
                rx.cond(
                    _state.missing != "",
                    rx.el.p("Empty for this contact: " + _state.missing, class_name="hint", role="status"),
                ),
                rx.cond(
                    _state.not_shown != "",
                    rx.el.p(_state.not_shown, class_name="form-problem", role="status"),
                    rx.fragment(
                        rx.cond(_state.shown_subject != "", rx.el.b(_state.shown_subject)),
                        rx.cond(
                            form.formatted,
                            mail_preview(html=_state.shown_html, styles=_state.shown_styles),
                            rx.el.p(_state.shown_text, class_name="shown-text"),
                        ),
                    ),
                ),
                class_name="template-preview",
                custom_attrs={"aria-label": "Preview"},
            ),
            rx.el.div(
                rx.el.button("Save", type="submit", class_name="btn pri"),
                rx.el.button("Cancel", type="button", class_name="btn", on_click=_state.leave),
                class_name="form-foot",
            ),
            on_submit=_state.save,
            key=_state.opened.to_string(),
            class_name="form template-form",
        ),
    )


def _library() -> rx.Component:
    return card(
        "The library",
        rx.el.p(
            "Added, a template is a copy of your own, shared with everybody. What stands in brackets is filled in when "
            "it is used.",
            class_name="hint",
        ),
        rx.el.ul(rx.foreach(_state.library, _library_line), class_name="lines library-lines"),
    )


def _library_line(line: Any) -> rx.Component:
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.el.span(rx.el.b(line.name), rx.el.small(line.about), class_name="line-text"),
                rx.el.small(line.folder, class_name="folder"),
            ),
            mail_preview(html=line.html, styles=""),
        ),
        rx.el.button(
            "Add",
            type="button",
            class_name="btn",
            on_click=_state.add(line.key),
            custom_attrs={"aria-label": "Add " + line.name},
        ),
        key=line.key,
    )


def _typed(label: str, name: str, value: Any, on_change: Any, *, area: bool = False, hint: str = "") -> rx.Component:
    """A field whose text is previewed while it is typed."""
    given: dict[str, Any] = {
        "name": name,
        "default_value": value,
        "on_change": on_change.debounce(300),
        "class_name": "input",
    }
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        rx.el.textarea(rows="10", **given) if area else rx.el.input(type="text", auto_complete="off", **given),
        rx.el.small(hint, class_name="hint") if hint else rx.fragment(),
        class_name="field",
    )


def _line(line: Any) -> rx.Component:
    return rx.el.li(
        rx.cond(line.kind == "snippet", icon("text-quote"), icon("notebook-text")),
        rx.el.div(
            rx.el.b(line.name),
            rx.el.small(line.begins, class_name="el"),
            rx.el.small(line.notes),
            class_name="line-text",
        ),
        rx.cond(
            line.changeable,
            rx.fragment(
                rx.el.button(
                    "Edit",
                    type="button",
                    class_name="btn",
                    on_click=_state.write(line.id),
                    custom_attrs={"aria-label": "Edit " + line.name},
                ),
                sure(
                    "Delete " + line.name,
                    "It is gone for everybody it is shared with. Mails that were written with it stay.",
                    "Delete the template",
                    _state.remove(line.id),
                    face=icon("trash-2", 15),
                ),
            ),
        ),
        key=line.id,
    )
