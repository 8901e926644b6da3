"""Every message of the shared test data, wherever it stands: files, Maildirs, mbox files, YAML suites."""

import mailbox
import re
from pathlib import Path

import yaml

from tests.shared import SHARED
from tests.sync.mime.test_shared_mail import SETS, messages

CORPUS = Path(__file__).parent / "corpus"


def shared_messages() -> dict[str, bytes]:
    """The messages by where they come from, with the line ends that mail has on the wire."""
    folder = SHARED / "testdata"
    files = [path for name, pattern in SETS for path in messages(name, pattern)]
    files += [path for path in sorted(folder.rglob("*;2,*")) if path.is_file()]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in dict.fromkeys(files)}
    for path in [*sorted(folder.rglob("*.mbox")), *sorted(folder.rglob("mbox-*"))]:
        found |= _of_mbox(path, str(path.relative_to(folder)))
    for path in sorted((folder / "auth-arc").rglob("*.yml")):
        for suite in yaml.safe_load_all(path.read_text("utf-8")):
            for name, case in suite["tests"].items():
                found[f"auth-arc/{name}"] = case["message"].encode("utf-8")
    found |= {f"corpus/{path.name}": path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))}
    return {name: as_on_the_wire(raw) for name, raw in found.items()}


def _of_mbox(path: Path, name: str) -> dict[str, bytes]:
    box = mailbox.mbox(path, create=False)
    return {f"{name}/{number}": box.get_bytes(key) for number, key in enumerate(box.keys())}


def as_on_the_wire(raw: bytes) -> bytes:
    """With CR LF at the end of every line; a CR that stands alone stays alone."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", raw)
