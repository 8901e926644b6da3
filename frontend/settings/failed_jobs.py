"""Failed jobs: work that gave up after its retries, and the way to try it again. For admins."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.operations.contracts import FailedJob
from frontend.api import ApiError
from frontend.components.forms import card, settings_page
from frontend.components.parts import empty, icon
from frontend.components.widgets import ago
from frontend.session import Session
from frontend.settings.people import for_admins

WORK = {
    "send_outgoing": "Sending a mail",
    "store_sent_copies": "Storing the copies of sent mail",
    "store_sent_copy": "Storing the copy of a sent mail",
    "settle_unknown": "Finding out whether a mail was sent",
    "take_report": "Reading why a mail came back",
    "take_meeting_answer": "Taking down an answer to an invitation",
    "send_push": "Pushing a notification to a browser",
    "carry_out": "Carrying changes out on the mail server",
    "keep_drafts": "Keeping drafts on the mail server",
    "check_forwarding": "Checking whether forwarded mail arrives",
    "hide_and_show": "Hiding mail that is gone from the server",
    "remove_mail": "Removing mail from Tandem",
    "settle_removed": "Settling what was removed",
    "enter_words": "Entering the words of new mail for searching",
    "system_mail": "Sending a mail of Tandem’s own",
    "check_servers": "Checking the mail servers",
    "test_server": "Sending a test mail through an outgoing server",
    "look_up_domains": "Looking up the domains that mail is from",
}
"""What a job does, by its name in the queue."""


class JobView(TypedDict):
    """A job that gave up; `sentence` tells why."""

    id: int
    work: str
    sentence: str
    concerns: str
    attempts: str
    at: str


class FailedJobs(Session):
    """The queue's failures, as fetched when the page was opened."""

    jobs: list[JobView] = []
    fetched: bool = False

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        self.jobs, self.fetched = [], False
        return await self._fetch()

    @rx.event
    async def try_again(self, job_id: int) -> EventSpec | None:
        """Put a job back into the queue."""
        try:
            await self.api().post(f"/failed-jobs/{job_id}/retry", None)
        except ApiError as refused:
            return self.fault(refused)
        self.say("Trying again. It comes back here if it fails once more")
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        if self._view is None or not self.me["admin"]:
            return None
        try:
            failed = await self.api().get("/failed-jobs", list[FailedJob])
        except ApiError as refused:
            return self.fault(refused)
        self.jobs = [paint_job(each) for each in failed]
        self.fetched = True
        return None


def paint_job(job: FailedJob) -> JobView:
    """A failed job in words."""
    return JobView(
        id=job.id,
        work=WORK.get(job.name, job.name),
        sentence=_sentence(job.reason),
        concerns=job.concerns.replace("_id ", " ").replace("_", " "),
        attempts=f"{job.attempts} {'attempt' if job.attempts == 1 else 'attempts'}",
        at=job.failed_at.isoformat(),
    )


def _sentence(reason: str) -> str:
    """A handler's own sentence as it is; of a fault that nobody foresaw, only the kind is told."""
    if reason == "unknown":
        return "It gave no reason."
    return reason if " " in reason else f"An unexpected fault ({reason}). The worker’s log has the rest."


_state: Any = FailedJobs


def failed_jobs() -> rx.Component:
    """What gave up, why, and "Try again"."""
    return settings_page(
        "Failed jobs",
        for_admins(
            rx.cond(
                _state.jobs.length() > 0,
                card("Gave up", rx.el.ul(rx.foreach(_state.jobs, _job), class_name="lines")),
                rx.cond(
                    _state.fetched,
                    empty("circle-check", "Nothing has failed", "Work that gives up waits here with its reason."),
                ),
            ),
        ),
        lead="Tandem tries again by itself for some hours. What gave up after that waits here for you.",
    )


def _job(job: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(icon("circle-alert", 16), class_name="notice-icon t-red"),
        rx.el.div(
            rx.el.b(job.work),
            rx.el.span(job.sentence, class_name="second"),
            rx.el.small(job.concerns, " · ", job.attempts, " · ", ago(at=job.at, long=True)),
            class_name="line-text",
        ),
        rx.el.button("Try again", type="button", class_name="btn", on_click=_state.try_again(job.id)),
        key=job.id,
    )
