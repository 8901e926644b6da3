"""What came since a draft was begun."""

from __future__ import annotations

import msgspec

from backend.compose.contracts import Came
from frontend.api import ApiError


def came_in(refused: ApiError) -> list[Came]:
    """What came since a draft was begun, as a refused Send tells it."""
    told = [*refused.details.get("replies", []), *refused.details.get("arrived", [])]
    return sorted(msgspec.convert(told, list[Came]), key=lambda each: each.at)
