"""Which conversation stands in which place of the page: pure.

A conversation that stays near keeps its place: moving it would rebuild it in the browser.
"""

from __future__ import annotations

from collections.abc import Sequence

COUNT = 16
Places = tuple[int, ...]


def with_one(places: Places, wanted: int, near: Sequence[int]) -> Places:
    """`places` with `wanted` in one of them: a free one, else the one that is least near."""
    if wanted in places:
        return places
    return _put(places, wanted, keep={wanted, *near})


def with_near(places: Places, selected: int, near: Sequence[int]) -> Places:
    """`places` with the nearest conversations standing ready. The selected one is never moved."""
    wanted = ([selected] if selected in places else []) + [each for each in near if each != selected]
    wanted = wanted[:COUNT]
    for each in wanted:
        if each not in places:
            places = _put(places, each, keep=set(wanted))
    return places


def _put(places: Places, wanted: int, keep: set[int]) -> Places:
    at = next((i for i, each in enumerate(places) if not each), None)
    if at is None:
        at = next((i for i, each in enumerate(places) if each not in keep), len(places) - 1)
    return (*places[:at], wanted, *places[at + 1 :])
