"""Uploads as they cross the wire."""

from backend.contracts import Contract


class BeginUpload(Contract):
    """A file for a draft. `link_days`: for a link that leads to it for so long; 0: to be attached. `modified` is
    kept and told again: of a file that is chosen again after a break, whether it is the same."""

    filename: str
    size: int
    content_type: str = "application/octet-stream"
    modified: int = 0
    link_days: int = 0


class Upload(Contract):
    """A file on its way up: `offset` of its `size` bytes are stored for good, and the next part begins there."""

    id: int
    filename: str
    size: int
    content_type: str
    modified: int
    offset: int
    link_days: int


class Uploads(Contract):
    """What is half up of a draft, and what it still takes: `room` bytes attached, `largest_link` in a file that it
    links to (0: none)."""

    room: int
    largest_link: int
    unfinished: list[Upload]
