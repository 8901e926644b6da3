"""What surrounds every page of a signed-in person: the rail, the toast, the bar of a lost connection."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.palette_view import palette, palette_item, palette_link, shortcuts
from frontend.components.parts import avatar, icon, key_hint, link, menu_item, panel
from frontend.components.widgets import ago, away_words, kept, teller
from frontend.inbox.state import Inbox
from frontend.session import Session
from frontend.undo import Undo

# Variables of a state are expressions here; their types are Reflex's own affair.
_session: Any = Session
_undo: Any = Undo
_inbox: Any = Inbox


def page(*children: rx.Component, name: str, **attributes: Any) -> rx.Component:
    """A page with its rail."""
    return rx.el.div(
        rx.cond(
            _session.online,
            rx.fragment(),
            rx.el.div(
                "No connection to Tandem. Trying again; what you see may be old.", class_name="offline", role="status"
            ),
        ),
        rail(),
        *children,
        bottom_bar(),
        notifications(),
        me_menu(),
        toast(),
        shortcuts(),
        palette(),
        teller(
            me=_session.me.id,
            telling=_session.telling,
            unread=_session.unread_tags,
            on_saw=_session.saw,
            on_device=_session.add_device,
        ),
        kept(me=_session.me.id, on_apart=_session.tell_apart),
        class_name=f"app {name}",
        **attributes,
    )


def rail() -> rx.Component:
    """The rail: my work, my mailboxes, the group mailboxes, and me."""
    return rx.el.nav(
        rx.el.div(rx.el.span(class_name="logo"), rx.el.span(_session.organisation, class_name="el"), class_name="org"),
        palette_link(),
        _list_link("circle-check", "My work", "mine", "g w", _session.work.mine),
        _list_link("at-sign", "Mentions", "mentions", "g m", _session.work.mentions),
        _list_link("alarm-clock", "Reminders", "reminders", "g r", _session.work.reminders),
        rx.cond(
            _session.work.shared > 0,
            _list_link("users", "Shared with me", "shared", "g h", _session.work.shared_unread),
        ),
        _page_link("pencil", "Drafts", "/drafts/", "g d", _session.work.drafts),
        _page_link("send", "Outbox", "/outbox/", "g o", _session.work.outbox, urgent=True),
        _page_link("contact", "Contacts", "/contacts/", "g c"),
        rx.cond(_session.views.length() > 0, rx.fragment(rx.el.h2("Views"), rx.foreach(_session.views, _view_link))),
        rx.cond(
            _session.personal.length() > 0,
            rx.fragment(rx.el.h2("My mailbox"), rx.foreach(_session.personal, _mailbox_link)),
        ),
        rx.cond(
            _session.groups.length() > 0,
            rx.fragment(rx.el.h2("Group mailboxes"), rx.foreach(_session.groups, _mailbox_link)),
        ),
        rx.el.div(class_name="grow"),
        rx.el.div(
            rx.el.button(
                avatar(_session.me.face, small=True),
                rx.el.span(_session.me.name, class_name="el"),
                type="button",
                class_name="me",
                custom_attrs={"data-menu": "me", "aria-haspopup": "menu", "aria-expanded": "false"},
            ),
            rx.el.button(
                icon("bell"),
                rx.cond(_session.unread_notices > 0, rx.el.i(_session.unread_notices)),
                type="button",
                class_name="fb",
                title="Notifications",
                custom_attrs={
                    "data-menu": "notifications",
                    "aria-haspopup": "dialog",
                    "aria-expanded": "false",
                    "aria-label": "Notifications",
                },
            ),
            link(
                icon("settings"),
                to="/settings/",
                class_name=rx.cond(_session.router.url.path.startswith("/settings"), "fb on", "fb"),
                title="Settings",
                custom_attrs={"aria-label": "Settings", "data-key": "g s"},
            ),
            class_name="foot",
        ),
        class_name="rail",
        custom_attrs={"aria-label": "Mailboxes"},
    )


def _on(condition: Any) -> rx.Var[str]:
    return rx.cond(condition, "rail-link on", "rail-link")


def _path_is(path: str) -> Any:
    """Whether this is the page shown. Its address ends in a slash when the browser asked the server for it."""
    bare = path.rstrip("/")
    return (_session.router.url.path == bare) | (_session.router.url.path == bare + "/")


def _current(condition: Any) -> rx.Var[str]:
    """The value of `aria-current` for a link to a page."""
    return rx.cond(condition, "page", "false")


def _list_link(icon_name: str, text: str, kind: str, key: str, count: Any) -> rx.Component:
    here = _desk() & (_inbox.kind == kind)
    return link(
        icon(icon_name),
        rx.el.span(text, class_name="el"),
        rx.cond(count > 0, rx.el.b(count)),
        to=f"/?list={kind}",
        class_name=_on(here),
        custom_attrs={"data-list": kind, "data-key": key, "aria-current": _current(here)},
    )


def _desk() -> Any:
    return _session.router.url.path == "/"


def _page_link(
    icon_name: str, text: str, path: str, key: str, count: Any | None = None, *, urgent: bool = False
) -> rx.Component:
    return link(
        icon(icon_name),
        rx.el.span(text, class_name="el"),
        rx.cond(count > 0, rx.el.b(count, class_name="urgent" if urgent else ""))
        if count is not None
        else rx.fragment(),
        to=path,
        class_name=_on(_path_is(path)),
        custom_attrs={"data-key": key, "aria-current": _current(_path_is(path))},
    )


def _view_link(saved: Any) -> rx.Component:
    """A saved view, with what is open in it."""
    here = _desk() & (_inbox.kind == "view") & (_inbox.query == saved.id.to_string())
    return link(
        rx.cond(saved.shared, icon("users-round"), icon("list-filter")),
        rx.el.span(saved.name, class_name="el"),
        rx.cond(saved.open != "", rx.el.b(saved.open)),
        to="/?list=view&q=" + saved.id.to_string(),
        class_name=_on(here),
        title=saved.name,
        key=saved.id,
        custom_attrs={"data-list": "view", "data-view": saved.id.to_string(), "aria-current": _current(here)},
    )


def _mailbox_link(mailbox: Any) -> rx.Component:
    """A mailbox; the open one unfolds into its lists."""
    here = _desk() & (_inbox.mailbox_id == mailbox.id) & (_inbox.kind == "mailbox")
    return rx.fragment(
        link(
            rx.el.span(class_name="dot dot" + mailbox.dot.to_string()),
            rx.el.span(mailbox.name, class_name="el"),
            rx.cond(
                mailbox.trouble != "",
                rx.el.span(icon("triangle-alert", 14), class_name="trouble", title=mailbox.trouble),
            ),
            rx.cond(
                mailbox.comments > 0,
                rx.el.i(
                    mailbox.comments,
                    class_name="talk-count",
                    title="With new comments",
                    role="img",
                    custom_attrs={"aria-label": mailbox.comments.to_string() + " with new comments"},
                ),
            ),
            rx.cond(mailbox.unread > 0, rx.el.b(mailbox.unread)),
            to=f"/?mailbox={mailbox.id}",
            class_name=_on(here & (_inbox.shows == "open")),
            title=mailbox.address,
            custom_attrs={"data-list": "mailbox", "data-mailbox": mailbox.id.to_string(), "data-view": "open"},
        ),
        rx.cond(
            here,
            rx.fragment(
                *(
                    link(
                        rx.el.span(text, class_name="el"),
                        rx.cond(count > 0, rx.el.b(count)) if count is not None else rx.fragment(),
                        to=f"/?mailbox={mailbox.id}&view={view}",
                        class_name=rx.cond(_inbox.shows == view, "rail-link inner on", "rail-link inner"),
                        custom_attrs={
                            "data-list": "mailbox",
                            "data-mailbox": mailbox.id.to_string(),
                            "data-view": view,
                        },
                    )
                    for text, view, count in (
                        ("Unassigned", "unassigned", mailbox.unassigned),
                        ("Done", "done", None),
                        ("Spam", "spam", None),
                        ("Trash", "trash", None),
                    )
                )
            ),
        ),
    )


def bottom_bar() -> rx.Component:
    """On a phone, what the rail is elsewhere."""

    def bar(here: Any) -> rx.Var[str]:
        return rx.cond(here, "bar-item on", "bar-item")

    def entry(icon_name: str, text: str, **properties: Any) -> rx.Component:
        return rx.el.button(
            icon(icon_name, 20), rx.el.span(text), type="button", class_name="bar-item", custom_attrs=properties
        )

    return rx.el.nav(
        link(
            icon("inbox", 20),
            rx.el.span("Mailboxes"),
            to="/",
            class_name=bar(_desk() & (_inbox.kind == "mailbox")),
            custom_attrs={"data-menu": "mailboxes"},
        ),
        link(
            icon("circle-check", 20),
            rx.el.span("My work"),
            to="/?list=mine",
            class_name=bar(_desk() & (_inbox.kind == "mine")),
            custom_attrs={"data-list": "mine"},
        ),
        link(
            icon("at-sign", 20),
            rx.cond(_session.work.mentions > 0, rx.el.i(_session.work.mentions)),
            rx.el.span("Mentions"),
            to="/?list=mentions",
            class_name=bar(_desk() & (_inbox.kind == "mentions")),
            custom_attrs={"data-list": "mentions"},
        ),
        rx.el.button(
            icon("bell", 20),
            rx.cond(_session.unread_notices > 0, rx.el.i(_session.unread_notices)),
            rx.el.span("Notifications"),
            type="button",
            class_name="bar-item",
            custom_attrs={"data-menu": "notifications"},
        ),
        entry("menu", "More", **{"data-menu": "me"}),
        class_name="bottom-bar",
        custom_attrs={"aria-label": "Main"},
    )


def mailboxes_menu() -> rx.Component:
    """On a phone: where to go among mailboxes."""

    def entry(mailbox: Any) -> rx.Component:
        return rx.el.a(
            rx.el.span(class_name="dot dot" + mailbox.dot.to_string()),
            rx.el.span(mailbox.name, class_name="el"),
            rx.cond(mailbox.unread > 0, rx.el.b(mailbox.unread)),
            href=f"/?mailbox={mailbox.id}",
            role="menuitem",
            class_name="menu-item",
            custom_attrs={"data-list": "mailbox", "data-mailbox": mailbox.id.to_string(), "data-view": "open"},
        )

    return panel(
        "mailboxes",
        "Mailboxes",
        rx.foreach(_session.personal, entry),
        rx.foreach(_session.groups, entry),
        rx.foreach(
            _session.views,
            lambda saved: rx.el.a(
                icon("list-filter"),
                rx.el.span(saved.name, class_name="el"),
                rx.cond(saved.open != "", rx.el.b(saved.open)),
                href="/?list=view&q=" + saved.id.to_string(),
                role="menuitem",
                class_name="menu-item",
                key=saved.id,
                custom_attrs={"data-list": "view", "data-view": saved.id.to_string()},
            ),
        ),
        align="start",
    )


def me_menu() -> rx.Component:
    """What belongs to me."""

    def go(icon_name: str, text: str, path: str) -> rx.Component:
        return link(icon(icon_name), text, to=path, role="menuitem", class_name="menu-item")

    return rx.fragment(
        panel(
            "me",
            "You",
            rx.el.div(
                rx.el.b(_session.me.name),
                rx.el.small(_session.me.email),
                away_words(_session.me.face),
                class_name="menu-head",
            ),
            rx.el.div(
                palette_item(),
                link(
                    icon("alarm-clock"),
                    "Reminders",
                    to="/?list=reminders",
                    role="menuitem",
                    class_name="menu-item",
                    custom_attrs={"data-list": "reminders"},
                ),
                rx.cond(
                    _session.work.shared > 0,
                    link(
                        icon("users"),
                        "Shared with me",
                        to="/?list=shared",
                        role="menuitem",
                        class_name="menu-item",
                        custom_attrs={"data-list": "shared"},
                    ),
                ),
                go("pencil", "Drafts", "/drafts/"),
                go("send", "Outbox", "/outbox/"),
                go("contact", "Contacts", "/contacts/"),
                class_name="phone-only",
            ),
            rx.cond(
                _session.me.away != "",
                menu_item(icon("sun", 16), "I am back", custom_attrs={"data-absent": "back"}),
                rx.fragment(
                    menu_item(icon("moon", 16), "Away until tomorrow", custom_attrs={"data-absent": "tomorrow"}),
                    menu_item(icon("moon", 16), "Away until Monday", custom_attrs={"data-absent": "monday"}),
                ),
            ),
            go("settings", "Settings", "/settings/"),
            menu_item(icon("keyboard"), "Keyboard shortcuts", custom_attrs={"data-act": "shortcuts", "data-key": "?"}),
            menu_item(icon("log-out"), "Sign out", custom_attrs={"data-act": "sign-out"}),
            align="start",
        ),
        mailboxes_menu(),
    )


NOTICE_ICONS = {
    "mention": ("at-sign", "accent"),
    "assignment": ("user-check", "violet"),
    "failed_send": ("triangle-alert", "red"),
    "reply": ("reply", "green"),
    "comment": ("message-square", "accent"),
    "reminder": ("alarm-clock", "amber"),
    "share": ("users", "accent"),
}


def notifications() -> rx.Component:
    """The popover of notifications."""
    return panel(
        "notifications",
        "Notifications",
        rx.el.div(
            rx.el.h2("Notifications"),
            rx.cond(_session.unread_notices > 0, rx.el.small(f"{_session.unread_notices} new")),
            rx.el.span(class_name="grow"),
            rx.cond(
                _session.unread_notices > 0,
                rx.el.button(
                    icon("check-check", 15),
                    "Mark all read",
                    type="button",
                    class_name="btn q",
                    on_click=_session.read_notices,
                ),
            ),
            class_name="panel-head",
        ),
        rx.cond(
            _session.notices.length() > 0,
            rx.el.div(rx.foreach(_session.notices, _notice), class_name="notices"),
            rx.el.p(
                "Nothing yet. You hear here when somebody mentions you, assigns you a conversation, "
                "a reminder of yours is due, or a mail of yours was not sent.",
                class_name="panel-empty",
            ),
        ),
        role="dialog",
        align="start",
        class_name="wide-panel",
    )


def _notice(notice: Any) -> rx.Component:
    return rx.el.a(
        rx.match(
            notice.kind,
            *(
                (kind, rx.el.span(icon(name), class_name=f"notice-icon t-{tone}"))
                for kind, (name, tone) in NOTICE_ICONS.items()
            ),
            rx.fragment(),
        ),
        rx.el.span(
            rx.el.span(rx.el.b(notice.lead), " ", notice.rest, class_name="el"),
            rx.el.small(notice.subject, " · ", notice.mailbox, class_name="el"),
            class_name="notice-text",
        ),
        ago(at=notice.at),
        href=notice.href,
        key=notice.id,
        class_name=rx.cond(notice.read, "notice", "notice new"),
        custom_attrs={
            "data-conversation": notice.conversation_id.to_string(),
            "data-notice": notice.id.to_string(),
            "data-spot": notice.spot,
        },
    )


def toast() -> rx.Component:
    """One sentence at the foot of the page; what it names can be taken back while it stands."""
    return rx.cond(
        _session.toast.text != "",
        rx.el.div(
            rx.el.span(_session.toast.text),
            rx.cond(
                _session.toast.action != "",
                rx.el.button(
                    _session.toast.label,
                    key_hint("Z"),
                    type="button",
                    class_name="btn q",
                    on_click=_undo.undo,
                    custom_attrs={"data-key": "z"},
                ),
            ),
            key=_session.toast.id,
            custom_attrs={"data-toast": _session.toast.id.to_string() + " " + _session.toast.text},
            role="status",
            class_name=rx.cond(_session.toast.tone == "red", "toast bad", "toast"),
        ),
    )
