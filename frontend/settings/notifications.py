"""What I am told of, where, when not; and the browsers that are pushed to."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.notifications.contracts import (
    Device,
    Digest,
    NotificationKind,
    NotificationSettings,
    PushState,
    QuietHours,
    SetDigest,
    Wanted,
)
from backend.people.contracts import Me
from frontend.api import ApiError, SignedOut
from frontend.components.forms import card, check_field, choice_field, problem, settings_page, submit, sure
from frontend.components.parts import icon
from frontend.components.widgets import ago, push_here
from frontend.session import Session
from frontend.view import View

KINDS: tuple[tuple[NotificationKind, str], ...] = (
    ("mention", "Somebody mentions me"),
    ("assignment", "A conversation is assigned to me"),
    ("reply", "New mail in what I follow"),
    ("comment", "A comment in what I follow"),
    ("reminder", "A reminder of mine is due"),
    ("failed_send", "A mail of mine was not sent"),
)
DIGESTS = {"off": "No digest", "hourly": "Every hour", "daily": "Every day at eight"}
WHERE = (("on", "List"), ("desktop", "Desktop"), ("push", "Push"))
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class KindView(TypedDict):
    kind: str
    label: str
    on: bool
    desktop: bool
    push: bool


class QuietView(TypedDict):
    on: bool
    begins: str
    ends: str
    days: list[bool]
    zone: str


class DeviceView(TypedDict):
    id: int
    name: str
    here: bool
    since: str
    pushed: str


NO_QUIET = QuietView(on=False, begins="", ends="", days=[False] * 7, zone="")


class Notifications(Session):
    """The page of one person's notifications."""

    kinds: list[KindView] = []
    quiet: QuietView = NO_QUIET
    digest: str = "off"
    problem: str = ""
    saved: int = 0
    """Another number fills the form anew."""
    devices: list[DeviceView] = []
    available: bool = False
    public_key: str = ""

    _endpoints: dict[str, int] = {}

    def repaint(self, before: View | None, view: View) -> None:
        if before is not None and before.me is view.me:
            return
        wanted, quiet = view.me.notify, view.me.notify.quiet
        self.kinds = [
            KindView(kind=kind, label=label, on=(each := wanted.of(kind)).on, desktop=each.desktop, push=each.push)
            for kind, label in KINDS
        ]
        self.quiet = QuietView(
            on=quiet.on,
            begins=quiet.begins,
            ends=quiet.ends,
            days=[day in quiet.days for day in range(7)],
            zone="" if view.me.time_zone == "UTC" else view.me.time_zone,
        )
        self.digest = view.me.digest
        self.saved += 1

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        if self._anew:
            self.problem = ""
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        if self._view is None:
            return None
        try:
            state = await self.api().get("/push", PushState)
        except ApiError as refused:
            return self.fault(refused)
        self.available, self.public_key = state.available, state.public_key
        self.devices = [_device(each) for each in state.devices]
        self._endpoints = {each.endpoint: each.id for each in state.devices}
        return None

    @rx.event
    async def save(self, form: dict[str, Any]) -> EventSpec | None:
        """All of it at once."""
        # A box that is not ticked is not sent.
        wanted = {kind: Wanted(**{where: bool(form.get(f"{kind}_{where}")) for where, _ in WHERE}) for kind, _ in KINDS}
        quiet = QuietHours(
            on=bool(form.get("quiet")),
            begins=str(form.get("begins") or "19:00"),
            ends=str(form.get("ends") or "08:00"),
            days=tuple(day for day in range(7) if form.get(f"day_{day}")),
            time_zone=str(form.get("time_zone") or "UTC"),
        )
        try:
            me = await self.api().put("/me/notifications", NotificationSettings(**wanted, quiet=quiet), Me)
            digest = str(form.get("digest") or "off")
            if digest in DIGESTS and digest != me.digest:
                wanted_digest: Digest = digest  # pyright: ignore[reportAssignmentType] # one of the three
                me = await self.api().put("/me/digest", SetDigest(digest=wanted_digest), Me)
            await self.become(replace(self.seen(), me=me))
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.problem = ""
        self.say("Saved")
        return None

    @rx.event
    async def subscribed(self, device: dict[str, Any]) -> EventSpec | None:
        """Push was turned on in this browser."""
        given = {name: str(device.get(name, "")) for name in ("endpoint", "p256dh", "auth", "name")}
        refused = await self._post("/push/devices", given)
        return refused or await self._fetch()

    @rx.event
    async def unsubscribed(self, endpoint: str) -> EventSpec | None:
        """Push was turned off in this browser."""
        known = self._endpoints.get(endpoint)
        return await self._remove(known) if known else None

    @rx.event
    async def remove(self, device_id: int) -> EventSpec | None:
        """No push to that browser any more."""
        return await self._remove(device_id)

    async def _remove(self, device_id: int) -> EventSpec | None:
        try:
            await self.api().delete(f"/push/devices/{device_id}")
        except ApiError as refused:
            return self.fault(refused)
        return await self._fetch()


def _device(device: Device) -> DeviceView:
    return DeviceView(
        id=device.id,
        name=device.name,
        here=device.here,
        since=device.created_at.isoformat(),
        pushed=device.pushed_at.isoformat() if device.pushed_at else "",
    )


Session.painters.append(Notifications)
_state: Any = Notifications


def notifications() -> rx.Component:
    """The page."""
    return settings_page(
        "Notifications",
        rx.cond(
            _state.kinds.length() > 0,
            rx.fragment(
                rx.el.form(
                    problem(_state.problem),
                    card("What for, and where", _kinds()),
                    card("Quiet hours", rx.el.div(*_quiet(), class_name="form")),
                    card(
                        "By mail",
                        choice_field(
                            "Digest",
                            "digest",
                            tuple(DIGESTS.items()),
                            value=_state.digest,
                            hint="What happened that you have not seen, where Tandem can send mail of its own.",
                        ),
                    ),
                    submit("Save"),
                    on_submit=_state.save,
                    key=_state.saved.to_string(),
                    class_name="form wide-form",
                ),
                card(
                    "This browser",
                    push_here(
                        me=_state.me.id,
                        available=_state.available,
                        public_key=_state.public_key,
                        on_device=_state.subscribed,
                        on_gone=_state.unsubscribed,
                    ),
                ),
                rx.cond(
                    _state.devices.length() > 0,
                    card("Pushed to", rx.el.ul(rx.foreach(_state.devices, _line), class_name="lines")),
                ),
            ),
        ),
        lead="What you hear of. The list keeps all that is on; desktop and push tell you when you look elsewhere.",
    )


def _kinds() -> rx.Component:
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(rx.el.th(rx.el.span("What", class_name="reader")), *(rx.el.th(text) for _, text in WHERE))
        ),
        rx.el.tbody(rx.foreach(_state.kinds, _kind)),
        class_name="wanted",
    )


def _kind(kind: Any) -> rx.Component:
    ticked = {"on": kind.on, "desktop": kind.desktop, "push": kind.push}
    return rx.el.tr(
        rx.el.th(kind.label, custom_attrs={"scope": "row"}),
        *(
            rx.el.td(
                rx.el.input(
                    type="checkbox",
                    name=kind.kind + "_" + where,
                    default_checked=ticked[where],
                    custom_attrs={"aria-label": kind.label + ": " + text.lower()},
                )
            )
            for where, text in WHERE
        ),
        key=kind.kind,
    )


def _quiet() -> list[rx.Component]:
    quiet = _state.quiet
    return [
        check_field(
            "Hold back desktop and push", "quiet", checked=quiet.on, hint="The list keeps what happens meanwhile."
        ),
        rx.el.div(
            _time("From", "begins", quiet.begins),
            _time("To", "ends", quiet.ends),
            class_name="two-fields",
        ),
        rx.el.fieldset(
            rx.el.legend("Beginning on", class_name="label"),
            rx.el.div(
                *(
                    rx.el.label(
                        rx.el.input(type="checkbox", name=f"day_{day}", default_checked=quiet.days[day]),
                        rx.el.span(name[:2], custom_attrs={"aria-hidden": "true"}),
                        rx.el.span(name, class_name="reader"),
                        class_name="day",
                        title=name,
                    )
                    for day, name in enumerate(DAYS)
                ),
                class_name="days",
            ),
        ),
        rx.el.small("On the clock of ", rx.cond(quiet.zone != "", quiet.zone, "this browser"), ".", class_name="hint"),
        rx.el.input(type="hidden", name="time_zone", default_value=quiet.zone),
    ]


def _time(label: str, name: str, value: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        rx.el.input(type="time", name=name, default_value=value, required=True, class_name="input"),
        class_name="field",
    )


def _line(device: Any) -> rx.Component:
    return rx.el.li(
        icon("monitor-smartphone", 16),
        rx.el.span(device.name, rx.cond(device.here, " (this browser)", ""), class_name="el"),
        rx.cond(device.pushed != "", rx.el.small("last told ", ago(at=device.pushed, long=True), class_name="third")),
        sure(
            "Remove " + device.name,
            "It is told nothing any more, until push is turned on there again.",
            "Remove it",
            _state.remove(device.id),
            face=icon("trash-2", 15),
        ),
        key=device.id,
    )
