"""The form of a template, with its preview beside."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, choice_field, problem, text_field
from frontend.components.parts import icon
from frontend.components.widgets import writer
from frontend.settings.templates.form import KINDS
from frontend.settings.templates.preview_view import preview
from frontend.settings.templates.state import Templates

_state: Any = Templates


def template_form() -> rx.Component:
    """What a template is, its words, and how they will read."""
    form = _state.form
    return card(
        rx.cond(form.id == 0, "New template", "Change the template"),
        rx.el.form(
            problem(_state.problem),
            rx.cond(_state.findings.length() > 0, _findings()),
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
            _fields(),
            preview(formatted=form.formatted),
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


def _findings() -> rx.Component:
    """What there is to know about an import."""
    return rx.el.section(
        rx.el.h3("What was found"),
        rx.el.ul(
            rx.foreach(
                _state.findings,
                lambda each: rx.el.li(
                    rx.cond(each.mind, icon("triangle-alert", 14), icon("info", 14)),
                    rx.el.span(each.text, rx.cond(each.named != "", rx.el.b(" " + each.named))),
                    class_name=rx.cond(each.mind, "mind", ""),
                ),
            ),
        ),
        class_name="findings",
        custom_attrs={"aria-label": "What was found"},
    )


def _fields() -> rx.Component:
    return rx.el.details(
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
