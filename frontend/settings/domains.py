"""The domains that mail is from, and what their DNS says: part of the page of outgoing mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.sending_domains.contracts import DomainRecord, SendingDomain
from frontend.api import ApiError
from frontend.components.forms import card, secret_line
from frontend.components.parts import icon
from frontend.components.widgets import ago
from frontend.session import Session

NAMES = {"spf": "SPF", "dkim": "DKIM", "dmarc": "DMARC"}


class RecordView(TypedDict):
    """One of the three. `add_name` empty: there is nothing to add."""

    name: str
    state: str
    sentence: str
    remedy: str
    found: str
    add_name: str
    add_value: str


class DomainView(TypedDict):
    id: int
    name: str
    addresses: str
    looked_at: str
    records: list[RecordView]


class Domains(Session):
    """As fetched when the page was opened, and looked up anew on demand."""

    domains: list[DomainView] = []
    looking: bool = False

    async def page_loaded(self) -> None:
        """What an earlier visit waited for is over."""
        self.looking = False

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        if self._view is None or not self.me["admin"]:
            return None
        try:
            self._take(await self.api().get("/sending-domains", list[SendingDomain]))
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def look_again(self) -> AsyncIterator[Any]:
        """Ask the name servers now."""
        self.looking = True
        yield
        try:
            self._take(await self.api().post("/sending-domains/look-up", None, list[SendingDomain]))
        except ApiError as refused:
            yield self.fault(refused)
        self.looking = False

    def _take(self, domains: list[SendingDomain]) -> None:
        self.domains = [
            DomainView(
                id=each.id,
                name=each.name,
                addresses=", ".join(each.addresses),
                looked_at=each.looked_at.isoformat() if each.looked_at else "",
                records=[paint_record(record) for record in each.records],
            )
            for each in domains
        ]


def paint_record(record: DomainRecord) -> RecordView:
    return RecordView(
        name=NAMES[record.kind],
        state=record.state,
        sentence=record.sentence,
        remedy=record.remedy,
        found="\n".join(record.records),
        add_name=record.add.name if record.add else "",
        add_value=record.add.value if record.add else "",
    )


Session.painters.append(Domains)
_state: Any = Domains


def domains_card() -> rx.Component:
    """What the DNS of each domain says."""
    return card(
        "Domains",
        rx.el.p(
            "Receivers look at these three records before they believe where a mail is from. They are set where the "
            "domain is kept, not here. They are looked up once a day.",
            class_name="second lead-line",
        ),
        rx.foreach(_state.domains, _domain),
        aside=rx.el.button(
            icon("refresh-cw", 14),
            rx.cond(_state.looking, "Looking", "Look again"),
            type="button",
            class_name="btn",
            disabled=_state.looking,
            on_click=_state.look_again,
        ),
    )


def _domain(domain: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h3(domain.name),
        rx.el.small(
            domain.addresses,
            rx.cond(
                domain.looked_at != "",
                rx.fragment(" · looked up ", ago(at=domain.looked_at, long=True)),
                " · not looked up yet",
            ),
            class_name="third",
        ),
        rx.el.ul(rx.foreach(domain.records, _record), class_name="records"),
        class_name="domain",
        key=domain.id,
        custom_attrs={"aria-label": domain.name},
    )


def _record(record: Any) -> rx.Component:
    return rx.el.li(
        rx.match(
            record.state,
            ("good", _mark("circle-check", "good", "Good")),
            ("unknown", _mark("circle-help", "third", "Not known")),
            ("weak", _mark("triangle-alert", "t-amber-ink", "Weak")),
            _mark("circle-alert", "bad", "To be mended"),
        ),
        rx.el.div(
            rx.el.b(record.name),
            rx.el.span(record.sentence),
            rx.cond(record.remedy != "", rx.el.small(record.remedy)),
            rx.cond(
                record.add_name != "",
                rx.el.div(
                    rx.el.small("TXT record of ", rx.el.b(record.add_name)),
                    secret_line(record.add_value),
                    class_name="record-add",
                ),
            ),
            rx.cond(
                record.found != "",
                rx.el.details(rx.el.summary("What is there now"), rx.el.pre(record.found), class_name="entry-details"),
            ),
            class_name="line-text",
        ),
        key=record.name,
    )


def _mark(name: str, tone: str, label: str) -> rx.Component:
    return rx.el.span(
        icon(name, 16), class_name=f"notice-icon {tone}", title=label, role="img", custom_attrs={"aria-label": label}
    )
