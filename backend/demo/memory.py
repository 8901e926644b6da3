"""What the demo has done already, in one small JSON file, so that a restart goes on instead of beginning again."""

import json
import os
from pathlib import Path
from typing import Any


class Memory:
    """A dictionary on disk. Every `save` replaces the file as a whole: a kill leaves the old or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = {}
        if path.exists():
            self._values = json.loads(path.read_text("utf-8"))

    def get(self, key: str) -> Any:
        """The value, or None."""
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        self._values[key] = value
        self.save()

    def table(self, key: str) -> dict[str, Any]:
        """A dictionary below the key; call `save` after a change."""
        return self._values.setdefault(key, {})

    def save(self) -> None:
        """Writes the file, readable by its owner only: it holds API tokens."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._values, file, ensure_ascii=False, indent=1)
        os.replace(beside, self._path)
