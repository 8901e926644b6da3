"""Bytes in words: the sentences of the server, the interface and its widgets count alike."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import backend.sizes
import frontend.sizes

SCRIPT = Path(__file__).parents[2] / "assets" / "widgets" / "sizes.js"
WORDS = {
    0: "1 KB",
    812: "1 KB",
    14_300: "14 KB",
    2**20 - 1: "1024 KB",
    1_800_000: "1.7 MB",
    25 * 2**20: "25.0 MB",
    5 * 2**29: "2.5 GB",
}


def test_the_server_and_the_interface_say_a_size_as_people_do() -> None:
    assert [backend.sizes.size_words(each) for each in WORDS] == list(WORDS.values())
    assert [frontend.sizes.size_words(each) for each in WORDS] == list(WORDS.values())


def test_a_widget_says_the_same() -> None:
    program = (
        f"import {{ sizeOf }} from {json.dumps(SCRIPT.as_uri())};console.log(JSON.stringify({list(WORDS)}.map(sizeOf)))"
    )
    node = Path(sys.executable).with_name("node")
    done = subprocess.run(
        [node, "--input-type=module", "-e", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == list(WORDS.values())
