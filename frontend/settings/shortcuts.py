"""Which keys I give to which commands."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.people.contracts import Me, SetShortcuts
from frontend.api import ApiError
from frontend.commands import BY_NAME, COMMANDS, EVERYWHERE, GO, LIST, ONE, conflict, keys_now, label_of
from frontend.components.forms import card, settings_page, sure
from frontend.components.parts import icon_button
from frontend.session import Session
from frontend.view import View

_passing: Any = rx.event.passthrough_event_spec


class KeyCatcher(rx.Component):
    """A button that says a command's key, and takes the next ones that are pressed (assets/widgets/key_catcher.jsx)."""

    library = "$/public/widgets/key_catcher.jsx"
    tag = "KeyCatcher"

    command: rx.Var[str]
    text: rx.Var[str]
    label: rx.Var[str]
    on_key: rx.EventHandler[_passing(str, str)]


class ShortcutLine(TypedDict):
    """A command and its key. `own`: the person chose it. `fixed`: nobody can."""

    name: str
    text: str
    label: str
    own: bool
    fixed: bool


class Refused(TypedDict):
    """Why a command did not get a key. `other`: whose it is, where the two can change theirs."""

    name: str
    why: str
    key: str
    other: str


NOTHING_REFUSED = Refused(name="", why="", key="", other="")


class Shortcuts(Session):
    """The page of one person's shortcuts."""

    lines: dict[str, list[ShortcutLine]] = {}
    changed: bool = False
    refused: Refused = NOTHING_REFUSED

    def repaint(self, before: View | None, view: View) -> None:
        if before is not None and before.me is view.me:
            return
        keys = keys_now(view.me.shortcuts)
        self.lines = {
            group: [
                ShortcutLine(
                    name=each.name,
                    text=each.text,
                    label=keys[each.name]["label"],
                    own=keys[each.name]["own"],
                    fixed=each.fixed,
                )
                for each in COMMANDS
                if each.group == group and each.name in keys and each.key
            ]
            for group in (LIST, ONE, GO, EVERYWHERE)
        }
        self.changed = bool(view.me.shortcuts)

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left to be read."""
        self.refused = NOTHING_REFUSED

    @rx.event
    async def give(self, name: str, key: str) -> EventSpec | None:
        """Give a command a key, unless another one has it."""
        if name not in BY_NAME or BY_NAME[name].fixed:
            return None
        try:
            own = self.seen().me.shortcuts
        except ApiError as refused:
            return self.fault(refused)
        other = conflict(own, name, key)
        if other is not None:
            same = keys_now(own)[other.name]["key"] == key
            self.refused = Refused(
                name=name,
                why=f"{label_of(key)} is {other.text}." if same else f"{label_of(key)} does not go with {other.text}.",
                key=key,
                other=other.name if same and not other.fixed else "",
            )
            return None
        return await self._store(own | {name: key})

    @rx.event
    async def swap(self) -> EventSpec | None:
        """Give the command the key that was refused, and the one that had it the command's."""
        name, key, other = self.refused["name"], self.refused["key"], self.refused["other"]
        if name not in BY_NAME or other not in BY_NAME:
            return None
        try:
            own = self.seen().me.shortcuts
        except ApiError as refused:
            return self.fault(refused)
        return await self._store(own | {name: key, other: keys_now(own)[name]["key"]})

    @rx.event
    async def reset_one(self, name: str) -> EventSpec | None:
        """The key that the command had; where another one was given that, the two change theirs."""
        try:
            own = self.seen().me.shortcuts
        except ApiError as refused:
            return self.fault(refused)
        if name not in own:
            return None
        key = BY_NAME[name].key if name in BY_NAME else ""
        rest = {each: at for each, at in own.items() if each != name}
        return await self._store({each: own[name] if at == key else at for each, at in rest.items()})

    @rx.event
    async def reset_all(self) -> EventSpec | None:
        """All as they were."""
        return await self._store({})

    async def _store(self, shortcuts: dict[str, str]) -> EventSpec | None:
        own = {name: key for name, key in shortcuts.items() if name not in BY_NAME or BY_NAME[name].key != key}
        try:
            me = await self.api().put("/me/shortcuts", SetShortcuts(shortcuts=own), Me)
            await self.become(replace(self.seen(), me=me))
        except ApiError as refused:
            return self.fault(refused)
        self.refused = NOTHING_REFUSED
        self.say("Saved")
        return None


Session.painters.append(Shortcuts)
_state: Any = Shortcuts


def shortcuts() -> rx.Component:
    """The page."""
    return settings_page(
        "Shortcuts",
        *(
            card(group, rx.el.ul(rx.foreach(_state.lines[group], _line), class_name="lines"))
            for group in (LIST, ONE, GO, EVERYWHERE)
        ),
        rx.cond(
            _state.changed,
            sure(
                "Reset all shortcuts",
                "Every command gets the key back that it had.",
                "Reset all",
                _state.reset_all,
                face="Reset all shortcuts",
            ),
        ),
        lead="Press a key, or two after each other, for what you do often. They are yours on every device.",
    )


def _line(line: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(line.text, class_name="el"),
        rx.cond(
            _state.refused.name == line.name,
            rx.el.span(
                _state.refused.why,
                rx.cond(
                    _state.refused.other != "",
                    rx.el.button("Swap the two", type="button", class_name="btn q", on_click=_state.swap),
                ),
                class_name="conflict",
                role="alert",
            ),
        ),
        rx.cond(
            line.own,
            icon_button("undo-2", "Reset " + line.text, icon_size=15, on_click=_state.reset_one(line.name)),
        ),
        rx.cond(
            line.fixed,
            rx.el.kbd(line.label),
            KeyCatcher.create(command=line.name, text=line.text, label=line.label, on_key=_state.give),
        ),
        class_name="shortcut-line",
        key=line.name,
    )
