"""What the interface is built from is the same in a year: the lock holds every npm package by version and checksum."""

from __future__ import annotations

import json
from typing import Any

from reflex_base.constants import PackageJson

from frontend.build import LOCK
from frontend.components.palette_view import FUZZYSORT
from frontend.components.widgets import TIPTAP, TIPTAP_PARTS, YJS

LOCKED: dict[str, Any] = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]


def test_what_we_and_the_framework_name_is_locked_at_that_version() -> None:
    named = [*(f"@tiptap/{part}@{TIPTAP}" for part in TIPTAP_PARTS), *YJS, FUZZYSORT]
    wanted = {name: version for name, _, version in (each.rpartition("@") for each in named)}
    wanted |= PackageJson.DEPENDENCIES | PackageJson.DEV_DEPENDENCIES
    locked = {name: LOCKED[f"node_modules/{name}"]["version"] for name in wanted}
    assert locked == {name: version.removeprefix("v") for name, version in wanted.items()}


def test_everything_below_has_a_checksum_and_no_address() -> None:
    below = {name: package for name, package in LOCKED.items() if name}
    assert [name for name, package in below.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in below.items() if "resolved" in package] == []
    assert [name for name in ("yjs", "lib0", "prosemirror-model") if f"node_modules/{name}" not in below] == []
