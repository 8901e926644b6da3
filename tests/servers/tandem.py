"""The `tandem` command as people run it: in a process and a data folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def environment(data_folder: Path, **settings: str) -> dict[str, str]:
    """This process' environment with no setting of Tandem but the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    return kept | {"TANDEM_DATA": str(data_folder)} | settings


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "backend.cli", *arguments]


def tandem(data_folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; both its output streams are in `stdout`."""
    return subprocess.run(
        command(*arguments),
        env=environment(data_folder, **settings),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
    )
