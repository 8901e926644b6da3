"""A meeting as a passage of the mail that invites to it, for those whose mail program shows no invitations."""

from datetime import datetime
from html import escape

from backend.meetings.contracts import MeetingDetails
from backend.meetings.queries import Planned, span_of

_CELL = "padding:2px 12px 2px 0;vertical-align:top"
_HEAD = "font-weight:normal;white-space:nowrap;color:#5d5850"


def when_of(details: MeetingDetails) -> str:
    """`Thursday 3 December 2026, 10:00 to 10:30 (Europe/Lisbon)`."""
    start, end = span_of(details)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{_day(end)}, {end:%H:%M}"
    return f"{_day(start)}, {start:%H:%M} to {until} ({details.zone})"


def _day(moment: datetime) -> str:
    return f"{moment:%A} {moment.day} {moment:%B %Y}"


def passage_of(plan: Planned) -> tuple[str, str]:
    """As text, and as HTML."""
    details = plan.details
    title = {True: "Cancelled: ", False: ""}[plan.method == "cancel"] + details.title
    lines = [("When", when_of(details)), ("Where", details.place), ("Link", details.url)]
    text = "\n".join([title, *(f"{name}: {value}" for name, value in lines if value)])
    rows = "".join(
        f'<tr><th scope="row" align="left" style="{_CELL};{_HEAD}">{name}</th>'
        f'<td style="{_CELL}">{_marked(name, value)}</td></tr>'
        for name, value in lines
        if value
    )
    box = "border-left:3px solid #3d5afe;padding-left:12px"
    html = f'<div class="meeting" style="{box}"><p style="margin:0"><b>{escape(title)}</b></p><table>{rows}</table>'
    if details.notes:
        text += f"\n\n{details.notes}"
        html += "".join(f'<p style="margin:0">{escape(line)}</p>' for line in details.notes.split("\n"))
    return text, f"{html}</div>"


def _marked(name: str, value: str) -> str:
    return f'<a href="{escape(value)}">{escape(value)}</a>' if name == "Link" else escape(value)
