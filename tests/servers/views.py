"""Holding one view of the product against another."""

from typing import Any

import msgspec


def differences(told: Any, shown: Any) -> Any:
    """Where two views differ: by key and by field, what was told and what is shown; empty when they are the same."""
    if isinstance(told, dict) and isinstance(shown, dict):
        keys = told.keys() | shown.keys()
        found = {key: differences(told.get(key), shown.get(key)) for key in keys}
        return {key: each for key, each in found.items() if each != {}}
    if isinstance(told, msgspec.Struct) and type(told) is type(shown):
        return differences(msgspec.structs.asdict(told), msgspec.structs.asdict(shown))
    return {} if told == shown else {"told": told, "shown": shown}
