"""Whatever the bytes: a ParsedMessage comes back, it can be stored, and sound mail is read the same by both readers."""

from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.mime.parse import parse_message
from sync.mime.parts import Part, read_parts
from sync.mime.salvage import SalvagedPart, salvage
from tests.sync.mime.test_shared_mail import assert_clean

CORPUS = sorted((Path(__file__).resolve().parents[2] / "corpus").glob("*.eml"))
PIECES = [
    b"From: a@b.example\r\n", b"Subject: ", b"=?utf-8?b?", b"?=", b"\r\n", b"\r\n\r\n", b"--b", b"--b--", b"--b\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: text/html; charset=utf-7\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n", b"\x00", b"\xff\xfe",
    b"Content-Type: message/rfc822\r\n", b"Content-Disposition: attachment; filename*0*=x'y'%ff\r\n", b"=", b"=3",
    b"Date: Mon, 2 Mar 2026 10:15:00 +0100\r\n", b"<p>x</p>", b"> quoted\r\n", b"On Monday a wrote:\r\n", b" ", b"\t",
    b"Content-Type: text/plain; charset=iso-2022-jp; format=flowed\r\n", b"\x1b$B", b"\xed\xa0\x80", b"begin 644 x\r\n",
]  # fmt: skip


def assert_read(raw: bytes) -> None:
    message = parse_message(raw)
    assert not [code for code in message.problems if code.startswith("unreadable-")]
    assert_clean(message)
    assert parse_message(raw) == message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
@example(b"")
@example(b"\r\n")
@example(b"From ")
def test_any_bytes(raw: bytes) -> None:
    assert_read(raw)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join))
def test_any_mixture_of_pieces_of_mail(raw: bytes) -> None:
    assert_read(raw)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CORPUS), st.data())
def test_any_damaged_mail(path: Path, data: st.DataObject) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.integers(0, 40)))
        raw[start:end] = data.draw(st.one_of(st.binary(max_size=10), st.sampled_from(PIECES)))
    assert_read(bytes(raw))


def leaves(part: Part | SalvagedPart) -> list[tuple[str, bytes]]:
    if part.children:
        return [leaf for child in part.children for leaf in leaves(child)]
    return [(part.content_type, part.content.replace(b"\r\n", b"\n").rstrip())]


def test_both_readers_agree_on_sound_mail() -> None:
    compared = 0
    for path in CORPUS:
        raw = path.read_bytes()
        fast, problems = read_parts(raw)
        if problems or not raw.startswith((b"From:", b"Received:")):
            continue
        slow, found = salvage(raw, 100)
        assert not found
        assert leaves(fast) == leaves(slow), path
        compared += 1
    assert compared > 15
