"""Small parts that appear everywhere: icons, faces, buttons, menus, links, empty states."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx


class RouterLink(rx.Component):
    """A link inside the interface: no page load, and still a link (middle click, copy address)."""

    library = "react-router"
    tag = "Link"

    to: rx.Var[str]


def link(*children: Any, to: str | rx.Var[str], **properties: Any) -> rx.Component:
    # The router's link has no properties for these: Reflex would make styles of them.
    named = {name: properties.pop(name) for name in ("role", "title") if name in properties}
    properties["custom_attrs"] = named | properties.get("custom_attrs", {})
    return RouterLink.create(*children, to=to, **properties)


def download_link(*children: Any, href: Any, name: Any, class_name: Any) -> rx.Component:
    """A link that saves a file. Reflex makes every link one of the router's, which takes the click for a page of ours:
    this one it leaves to the browser."""
    return rx.el.a(*children, href=href, class_name=class_name, custom_attrs={"download": name, "reloadDocument": True})


def icon(name: str, size: int = 16) -> rx.Component:
    """A Lucide icon, decorative: the control that holds it has the name."""
    return rx.icon(name, size=size, stroke_width=2, class_name="icon", custom_attrs={"aria-hidden": "true"})


def avatar(face: Any, *, small: bool = False) -> rx.Component:
    """A round face, marked when its person is away. Its name is on hover; beside it stands the name for readers."""
    size = "mini" if small else "av"
    return rx.el.span(
        face.initials,
        class_name=f"{size} face" + face.colour.to_string() + rx.cond(face.away != "", " gone", ""),
        title=rx.cond(face.away != "", face.name + ", away", face.name),
        custom_attrs={"aria-hidden": "true"},
    )


def key_hint(text: str) -> rx.Component:
    """Beside a control: the key that presses it. Where the person chose another, assets/js/keys.js shows that."""
    *shift, sign = text.split()
    key = sign if shift or not sign.isalpha() else sign.lower()
    return rx.el.kbd(text, custom_attrs={"aria-hidden": "true", "data-hint": key})


def icon_button(
    name: str, label: str, *, icon_size: int = 16, class_name: str = "btn q sq", **properties: Any
) -> rx.Component:
    """A button that is only an icon; `label` is its name and its hint."""
    attributes = {"aria-label": label} | properties.pop("custom_attrs", {})
    return rx.el.button(
        icon(name, icon_size),
        type="button",
        title=label,
        class_name=class_name,
        custom_attrs=attributes,
        **properties,
    )


def act_button(*children: Any, act: str, key: str = "", class_name: str = "btn", **properties: Any) -> rx.Component:
    """A button that assets/js/desk.js answers at once. `key` is its shortcut."""
    attributes = {"data-act": act} | ({"data-key": key} if key else {}) | properties.pop("custom_attrs", {})
    return rx.el.button(*children, type="button", class_name=class_name, custom_attrs=attributes, **properties)


def menu_item(*children: Any, **properties: Any) -> rx.Component:
    attributes = properties.pop("custom_attrs", {})
    return rx.el.button(
        *children, type="button", role="menuitem", class_name="menu-item", custom_attrs=attributes, **properties
    )


def panel(
    name: str,
    label: str,
    *children: Any,
    role: Literal["menu", "dialog"] = "menu",
    align: str = "end",
    class_name: str = "",
) -> rx.Component:
    """What a control with `data-menu=name` opens; placed and closed by assets/js/desk.js.

    A menu holds entries of the role `menuitem` only; whatever holds more is a dialog.
    """
    return rx.el.div(
        *children,
        role=role,
        class_name=f"float panel {class_name}",
        custom_attrs={"data-panel": name, "data-align": align, "aria-label": label},
    )


def empty(icon_name: str, title: str | rx.Var[str], text: str | rx.Var[str], *children: Any) -> rx.Component:
    """What stands where there is nothing yet: what it means, and what to do first."""
    return rx.el.div(
        icon(icon_name, 22),
        rx.el.h2(title),
        rx.el.p(text),
        *children,
        class_name="empty",
    )
