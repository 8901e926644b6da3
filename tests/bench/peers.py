"""The peers of the sync benchmark, each as it comes: mbsync (isync) fetches into a Maildir, notmuch indexes it.

mbsync keeps its defaults, so what it wrote is safe on the disk when it ends. When it has read a Maildir that changed
within the last second it sleeps until that is over; this nap is measured, from outside, and left out of its time.
"""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import psutil

from tests.servers.dovecot import Dovecot

LOOK_SECONDS = 0.002


class PeerFailed(Exception):
    """The peer ended with an error; what it said."""


class Mbsync:
    """mbsync with one Inbox of `dovecot` and one Maildir below `folder`."""

    def __init__(self, dovecot: Dovecot, user: str, folder: Path) -> None:
        self.maildir = folder / "mail"
        self.maildir.mkdir(parents=True)
        self._config = folder / "mbsyncrc"
        self._config.write_text(
            f"""\
IMAPAccount bench
Host 127.0.0.1
Port {dovecot.imap_port}
User {user}
Pass {dovecot.password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account bench

MaildirStore near
Path {self.maildir}/
Inbox {self.maildir}/INBOX

Channel bench
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
"""
        )

    def run(self) -> tuple[float, float]:
        """Synchronise once; answers the seconds that it took, without its nap, and its highest memory in MB (10^6)."""
        began = time.perf_counter()
        process = subprocess.Popen(
            [found("mbsync"), "-c", str(self._config), "bench"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        napped, peak = _watch(process)
        took = time.perf_counter() - began
        said = process.stderr.read().decode(errors="replace") if process.stderr else ""
        if process.returncode != 0:
            raise PeerFailed(f"mbsync ended with {process.returncode}: {said[-1000:]}")
        return took - napped, peak


def _watch(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Until it ends: how long it slept by its own will, in seconds, and its highest resident memory in MB."""
    asleep, since, peak = 0.0, 0.0, 0
    status = psutil.Process(process.pid)
    while process.poll() is None:
        now = time.perf_counter()
        naps = _in_nap(process.pid)
        if naps and not since:
            since = now
        elif not naps and since:
            asleep, since = asleep + now - since, 0.0
        try:
            peak = max(peak, status.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(LOOK_SECONDS)
    process.wait()
    if since:
        asleep += time.perf_counter() - since
    return asleep, peak / 1e6


def _in_nap(pid: int) -> bool:
    """Whether the process is inside sleep(): the kernel says which system call it waits in."""
    try:
        call = Path(f"/proc/{pid}/syscall").read_text().split(" ", 1)[0]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return call in _SLEEPS


# nanosleep and clock_nanosleep, by architecture.
_SLEEPS = {"x86_64": {"35", "230"}, "aarch64": {"101", "115"}}.get(os.uname().machine, set())


def notmuch_new(maildir: Path, folder: Path) -> float:
    """Index a Maildir for the first time; answers the seconds."""
    config = folder / "notmuch-config"
    config.write_text(f"[database]\npath={maildir}\n[user]\nname=Ana\nprimary_email=ana@northwind.example\n")
    began = time.perf_counter()
    done = subprocess.run(
        [found("notmuch"), "--config", str(config), "new", "--quiet"],
        capture_output=True,
        text=True,
        env=os.environ | {"HOME": str(folder)},
    )
    if done.returncode != 0:
        raise PeerFailed(f"notmuch ended with {done.returncode}: {done.stderr[-1000:]}")
    return time.perf_counter() - began


def versions() -> dict[str, str]:
    """What the peers call themselves."""
    said = {name: subprocess.run([found(name), "--version"], capture_output=True, text=True) for name in _PEERS}
    return {name: (re.search(r"\d+(?:\.\d+)+", each.stdout) or [each.stdout.strip()])[0] for name, each in said.items()}


_PEERS = ("mbsync", "notmuch")


def found(program: str) -> str:
    """Where the program is. RuntimeError with what to do when it is not installed."""
    path = shutil.which(program)
    if path is None:
        raise RuntimeError(f"{program} is not installed: make system-packages")
    return path
