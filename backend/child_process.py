"""Starting processes that cannot outlive the one that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def start_child(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    death_signal: signal.Signals,
    folder: Path | None = None,
    user: tuple[int, int] | None = None,
    inherited_files: Sequence[int] = (),
    output: IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `arguments` in a session of its own; the kernel sends it `death_signal` when this process ends,
    in whatever way (Linux; elsewhere the caller has to stop it).

    `user` is a (uid, gid) to change to, which only root can. `output` takes both output streams; without it
    they are this process's own. The signal is bound to the *thread* that starts the child, so only the main
    thread may: `RuntimeError` otherwise.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child is started from the main thread: it would end with any other")
    return subprocess.Popen(
        list(arguments),
        env=dict(environment),
        cwd=folder,
        user=user[0] if user else None,
        group=user[1] if user else None,
        extra_groups=[] if user else None,
        pass_fds=inherited_files,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        # The change of user clears the death signal, so it is set after it: preexec runs last.
        preexec_fn=_bound_to_parent(death_signal),
    )


def _bound_to_parent(death_signal: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def bind() -> None:
        if not sys.platform.startswith("linux"):
            return
        if _LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(127)

    return bind
