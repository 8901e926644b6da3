"""Free ports for servers that are told their port before they start.

A port that the system gives away (port 0) may be given to somebody else before the server listens: to the other test
process, or to any outgoing connection. These lie below the range that the system gives away, each test process has a
slice of its own, and none is given out twice.
"""

import itertools
import os
import random
import socket

_FIRST, _END = 11_000, 32_000


def free_ports(count: int) -> list[int]:
    """Ports of this machine's loopback on which nobody listens; RuntimeError when there are none."""
    found = list(itertools.islice(_free, count))
    if len(found) < count:
        raise RuntimeError(f"No port is free between {_FIRST} and {_END}.")
    return found


def free_port() -> int:
    """One of these."""
    return free_ports(1)[0]


def _candidates() -> list[int]:
    """This process' slice, from a random place on: other runs on the same machine begin elsewhere."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    size = (_END - _FIRST) // workers
    begin = _FIRST + int(worker) % workers * size
    start = random.SystemRandom().randrange(size)
    return [begin + (start + step) % size for step in range(size)]


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


_free = (port for port in _candidates() if _is_free(port))
