"""The identity of a message's content.

Two messages with the same Message-ID are the same message only if their content is: a forged identifier must not
hide mail. The digest covers what the writer wrote and nothing that transport adds or changes:

- From, To, Cc, Subject, Date and Message-ID, decoded, white space collapsed, so that refolding and re-encoding of
  headers change nothing. Not Bcc (only the sender's copy has it), Received, Delivered-To, signatures, lists' additions.
- Every leaf of the MIME tree in order: its type and its transfer-decoded bytes, so that a gateway that turns 8bit
  into quoted-printable changes nothing. In text, line ends count as LF and white space at the end of lines and of
  the text does not count.

It does not depend on character set detection or on HTML, so that improving those later changes no identity.
"""

import hashlib
from collections.abc import Callable, Iterator

from sync.mime.parts import Part

_BLANKS_TAKEN_AT_ONCE = 4
_COVERED = ("from", "to", "cc", "subject", "date", "message-id")


def content_digest(header: Callable[[str], str], root: Part) -> str:
    """SHA-256 over the content, 64 hexadecimal digits. `header` tells the first field of a name (small letters),
    decoded; empty when there is none."""
    total = hashlib.sha256(b"tandem-content-1\n")
    for name in _COVERED:
        value = " ".join(header(name).split())
        total.update(f"{name}:{value}\n".encode("utf-8", "replace"))
    for part in leaves(root):
        content = part.content
        if part.content_type.startswith(("text/", "message/")):
            content = _without_trailing_space(content)
        total.update(f"{part.content_type}:{len(content)}\n".encode("utf-8", "replace"))
        total.update(content)
    return total.hexdigest()


def _without_trailing_space(content: bytes) -> bytes:
    plain = content.replace(b"\r\n", b"\n")
    if not (b"\r" in plain or b"\t\n" in plain or b"\x0b" in plain or b"\x0c" in plain):
        # Most texts have none, or one blank at the end of a line that flows on; line by line takes ten times as long.
        for _ in range(_BLANKS_TAKEN_AT_ONCE):
            if b" \n" not in plain:
                return plain.rstrip()
            plain = plain.replace(b" \n", b"\n")
    return b"\n".join(line.rstrip() for line in plain.split(b"\n")).rstrip()


def leaves(root: Part) -> Iterator[Part]:
    """The parts that are not containers, in the order of the message."""
    if root.children:
        for child in root.children:
            yield from leaves(child)
    elif not root.content_type.startswith("multipart/"):
        yield root
