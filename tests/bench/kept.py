"""Where benchmarks keep what takes minutes to make, between their runs."""

import os
import shutil
from pathlib import Path


def kept_folder(name: str, finished: str) -> Path:
    """The folder of that name below TANDEM_BENCH_DATA, or in the person's cache folder.

    What was begun there and never came to its end, told by a file `finished` in it, is thrown away.
    """
    base = os.environ.get("TANDEM_BENCH_DATA") or Path.home() / ".cache" / "tandem-bench"
    folder = Path(base) / name
    if folder.exists() and not (folder / finished).exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
