"""``tandem demo``: the whole product with Northwind Bikes in it, in a data folder of its own."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from backend.demo.ports import IMAP_PORT, SMTP_PORT, read_ports, take_back
from backend.settings import Settings, SettingsError
from backend.up import reachable_host, up


def demo(settings: Settings) -> int:
    """Runs until a stop signal; returns the exit status. Raises `SettingsError` for a wrong port or pace.

    The demo lives in the folder ``demo`` below the data folder, so that it never meets real mail. Who can sign in,
    and where the mail servers listen, is printed by `backend.demo.living` as soon as it is true.
    """
    folder = settings.data_folder / "demo"
    data = folder / "northwind"
    data.mkdir(parents=True, exist_ok=True)
    ports = _wanted_ports(data)
    take_back(data)
    os.environ["TANDEM_ALLOW_PRIVATE_SERVERS"] = "yes"  # its mail servers are on this machine
    address = f"http://{reachable_host(settings.host)}:{settings.port}"
    common = [sys.executable, "-m"]
    servers = [*common, "backend.demo.servers", "--data", str(data)]
    servers += ["--imap-port", str(ports["imap"]), "--smtp-port", str(ports["smtp"])]
    life = [*common, "backend.demo.living", "--data", str(data), "--address", address]
    life += ["--public-address", settings.public_url]
    if not (data / "talk.json").exists():
        print("Northwind Bikes moves in: the first start takes about a minute.", flush=True)
    further = [("demo mail servers", servers), ("demo life", life)]
    return up(replace(settings, data_folder=folder), further, lambda address: None)


def _wanted_ports(data: Path) -> dict[str, int]:
    """What the environment says, else the ports of the last time, else the usual ones."""
    last = read_ports(data) or {}
    wanted: dict[str, int] = {}
    for key, variable, usual in (
        ("imap", "TANDEM_DEMO_IMAP_PORT", IMAP_PORT),
        ("smtp", "TANDEM_DEMO_SMTP_PORT", SMTP_PORT),
    ):
        given = os.environ.get(variable, "").strip()
        if given and not (given.isdecimal() and int(given) < 65536):
            raise SettingsError(f"{variable} is {given!r}. Give a number from 0 to 65535; 0 takes any free port.")
        wanted[key] = int(given) if given else last.get(key, usual)
    return wanted
