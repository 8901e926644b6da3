"""Where the demo's mail servers listen, and how its other processes learn it."""

import contextlib
import json
from pathlib import Path

HOST = "127.0.0.1"
IMAP_PORT, SMTP_PORT = 1143, 1025


def write_ports(data: Path, ports: dict[str, int]) -> None:
    """Says in the folder that servers listen on ``{"imap": 1143, "smtp": 1025}``."""
    beside = data / "ports.new"
    beside.write_text(json.dumps(ports))
    beside.replace(data / "ports.json")


def read_ports(data: Path) -> dict[str, int] | None:
    """What was last written; None when nothing was, or it was taken back."""
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
        return json.loads((data / "ports.json").read_text())
    return None


def take_back(data: Path) -> None:
    """Before a start: the ports of the last time are no longer true."""
    (data / "ports.json").unlink(missing_ok=True)
