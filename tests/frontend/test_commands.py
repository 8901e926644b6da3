"""The one list of commands: nothing of the product is missing in it, and no two have the same key."""

from __future__ import annotations

import re

import pytest

from frontend import pages
from frontend.build import ROOT
from frontend.commands import BY_NAME, COMMANDS, conflict, keys_now, label_of

SOURCES = [
    *sorted((ROOT / "frontend").rglob("*.py")),
    *sorted(
        each for kind in ("*.jsx", "*.js") for each in (ROOT / "assets").rglob(kind) if "external" not in each.parts
    ),
]
_KEY = re.compile(r"""["']?data-key["']?\s*[:=]\s*(?:\w+\s*\?\s*(?:undefined\s*:\s*)?)?["'](?P<key>[^"'$]+)["']""")
_ACT = re.compile(r"""["']data-act["']: ["'](?P<act>[a-z-]+)["']""")
PARTS_OF_A_STEP = {
    "back", "assign", "tag", "tag-new", "share", "merge", "move", "visibility", "look", "copy", "close-dialog",
    "delete-now", "choosing", "palette", "shortcuts", "forward", "done", "trash", "star", "follow", "assign-me",
}  # fmt: skip
"""What is chosen in a menu, pressed in a question, or done by a command that has a key."""


def test_names_and_keys_are_those_of_one_command() -> None:
    assert len(BY_NAME) == len(COMMANDS)
    keys = [each.key for each in COMMANDS if each.key]
    assert len(set(keys)) == len(keys)
    assert [each.name for each in COMMANDS if each.key and conflict({}, each.name, each.key)] == []


def test_every_key_of_a_control_is_that_of_a_command() -> None:
    found = {match["key"] for path in SOURCES for match in _KEY.finditer(path.read_text(encoding="utf-8"))}
    assert len(found) > 15
    assert found - {each.key for each in COMMANDS} == set()


def test_every_act_of_a_control_is_a_command_or_a_part_of_one() -> None:
    acts = {match["act"] for path in SOURCES for match in _ACT.finditer(path.read_text(encoding="utf-8"))}
    offered = {match for each in COMMANDS for match in re.findall(r'data-act="([a-z-]+)"', each.at)}
    assert len(acts) > 20
    assert acts - offered - PARTS_OF_A_STEP == set()


def test_every_page_of_signed_in_people_is_reached_by_a_command() -> None:
    reached = {each.to.rstrip("/") for each in COMMANDS if each.to and "?" not in each.to}
    assert {route for route in pages.SIGNED_IN if route != "/"} == reached


def test_every_command_has_its_icon() -> None:
    drawn = (ROOT / "assets" / "widgets" / "palette" / "icons.jsx").read_text(encoding="utf-8")
    known = set(re.findall(r'(?:"([a-z0-9-]+)"|\b([a-z]+)): [A-Z]', drawn))
    assert {each.icon for each in COMMANDS} <= {quoted or bare for quoted, bare in known}


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("e", "E"),
        ("E", "Shift E"),
        ("g w", "G then W"),
        ("#", "#"),
        ("Ctrl k", "Ctrl K"),
        ("Enter", "Enter"),
        ("ß", "ß"),
    ],
)
def test_a_key_as_people_say_it(key: str, label: str) -> None:
    assert label_of(key) == label


def test_a_key_of_ones_own_takes_the_place_of_the_commands() -> None:
    keys = keys_now({"done": "y", "palette": "p", "gone-in-this-release": "q"})
    assert keys["done"] == {"key": "y", "label": "Y", "own": True}
    assert (keys["palette"]["key"], keys["star"]["own"]) == ("Ctrl k", False)
    assert "gone-in-this-release" not in keys


def test_what_takes_anothers_key_leaves_that_none() -> None:
    assert keys_now({"done": "s"})["star"] == {"key": "", "label": "", "own": False}


@pytest.mark.parametrize(
    ("key", "whose"),
    [("s", "star"), ("g", "go-work"), ("g w", "go-work"), ("s e", "star"), ("y", None), ("g y", None), ("e", None)],
)
def test_which_command_a_key_conflicts_with(key: str, whose: str | None) -> None:
    found = conflict({}, "done", key)
    assert (found and found.name) == whose


def test_a_key_that_was_given_away_is_free() -> None:
    assert conflict({"star": "y"}, "done", "s") is None
