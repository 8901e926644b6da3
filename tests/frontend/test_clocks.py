"""Moments of a clock elsewhere: the script of the reminder menu and of sending later, run by Node."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "assets" / "js" / "reminders.js"


def computed(expression: str, *, now: str = "2026-11-30T12:00:00Z", own: str = "Europe/Lisbon") -> Any:
    """What an expression over `tandem` comes to, for a person with that clock at that moment."""
    program = f"""
        const Real = Date;
        globalThis.Date = class extends Real {{
          constructor(...given) {{ super(...(given.length ? given : [{json.dumps(now)}])); }}
        }};
        globalThis.window = globalThis;
        globalThis.document = {{ addEventListener() {{}} }};
        globalThis.tandem = {{ person: {{ timeZone: {json.dumps(own)}, locale: "en-GB" }} }};
        (0, eval)(require("fs").readFileSync({json.dumps(str(SCRIPT))}, "utf8"));
        console.log(JSON.stringify({expression}));
    """
    node = Path(sys.executable).with_name("node")
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("zone", "typed", "moment"),
    [
        ("Asia/Kolkata", "2026-12-01T09:00", "2026-12-01T03:30:00.000Z"),
        ("America/New_York", "2026-12-01T09:00", "2026-12-01T14:00:00.000Z"),
        # Clocks there change in the night before, and on another day than one's own.
        ("Europe/Berlin", "2027-03-27T09:00", "2027-03-27T08:00:00.000Z"),
        ("Europe/Berlin", "2027-03-28T09:00", "2027-03-28T07:00:00.000Z"),
        ("America/New_York", "2027-03-14T09:00", "2027-03-14T13:00:00.000Z"),
        ("Australia/Sydney", "2027-04-04T09:00", "2027-04-03T23:00:00.000Z"),
        ("Europe/Berlin", "2027-10-31T09:00", "2027-10-31T08:00:00.000Z"),
        # An hour that does not exist is the next one; of one that is there twice either will do.
        ("Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:30:00.000Z"),
        ("Etc/GMT-9", "2026-12-01T09:00", "2026-12-01T00:00:00.000Z"),
    ],
)
def test_a_moment_that_is_typed_for_a_clock_elsewhere(zone: str, typed: str, moment: str) -> None:
    assert computed(f"tandem.typedMoment({json.dumps(typed)}, {json.dumps(zone)})") == moment


def test_an_hour_that_is_there_twice_is_one_of_the_two() -> None:
    found = computed('tandem.typedMoment("2027-10-31T02:30", "Europe/Berlin")')
    assert found in ("2027-10-31T00:30:00.000Z", "2027-10-31T01:30:00.000Z")


def test_tomorrow_and_monday_are_those_of_the_clock_elsewhere() -> None:
    # Monday noon in Lisbon is Tuesday, one in the morning, in Auckland.
    offered = computed('tandem.moments("Pacific/Auckland")')
    assert offered["tomorrow"] == "2026-12-01T20:00:00.000Z"  # Wednesday, nine there
    assert offered["monday"] == "2026-12-06T20:00:00.000Z"
    assert offered["today"] == "2026-12-01T04:00:00.000Z"  # five in the afternoon there
    assert computed("tandem.moments()")["tomorrow"] == "2026-12-01T09:00:00.000Z"


def test_a_moment_is_said_as_either_clock_shows_it() -> None:
    said = computed(
        '[tandem.said(new Date("2027-07-01T08:00Z")), tandem.said(new Date("2027-07-01T08:00Z"), "Asia/Kolkata")]'
    )
    assert said == ["Thu 09:00", "Thu 13:30"]
