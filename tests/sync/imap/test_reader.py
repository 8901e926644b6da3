"""Reading responses: however the network cuts them, whatever people write into subjects and folder names."""

import time
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.imap.reader import (
    Response,
    ResponseReader,
    Unreadable,
    format_number_set,
    parse_fetch,
    parse_number_set,
    parse_values,
)

WIRE = (
    b'* LIST (\\HasNoChildren) "/" {13}\r\nodd "folder\r\n \r\n'
    b"* 3 FETCH (UID 7 FLAGS (\\Seen $x) BODY[] {21}\r\nSubject: 5 * 3 (\r\n{9}"
    b' INTERNALDATE "17-Jul-1996 02:44:25 -0700")\r\n'
    b"* 4 FETCH (UID 8 BODY[] {0}\r\n FLAGS ())\r\n"
    b"* OK that is no literal {5}\r\n"
    b"A1 OK done {7}\r\n"
)


def read(wire: bytes, cuts: list[int]) -> list[Response]:
    reader = ResponseReader()
    found: list[Response] = []
    edges = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    for start, end in pairwise(edges):
        found += reader.feed(wire[start:end])
    assert reader.empty
    return found


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_cuts_change_nothing(cuts: list[int]) -> None:
    whole = read(WIRE, [])
    assert len(whole) == 5
    assert read(WIRE, cuts) == whole


def test_one_byte_at_a_time() -> None:
    assert read(WIRE, list(range(len(WIRE)))) == read(WIRE, [])


def test_literals_are_kept_apart() -> None:
    found = read(WIRE, [])
    assert found[0].literals == (b'odd "folder\r\n',)
    fetched = parse_fetch(found[1])
    assert fetched is not None
    assert fetched[0] == 3
    assert fetched[1]["BODY[]"] == b"Subject: 5 * 3 (\r\n{9}"
    assert fetched[1]["INTERNALDATE"] == b"17-Jul-1996 02:44:25 -0700"
    assert fetched[1]["FLAGS"] == [b"\\Seen", b"$x"]
    empty = parse_fetch(found[2])
    assert empty == (4, {"UID": b"8", "BODY[]": b"", "FLAGS": []})
    assert found[3].line == b"* OK that is no literal {5}"


@given(st.binary(max_size=200))
def test_any_bytes_come_back_from_a_literal(content: bytes) -> None:
    wire = b"* 1 FETCH (BODY[] {%d}\r\n%b UID 4)\r\n" % (len(content), content)
    [response] = read(wire, [len(wire) // 2])
    assert parse_fetch(response) == (1, {"BODY[]": content, "UID": b"4"})


@given(st.text(alphabet=st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]), max_size=60))
def test_any_quoted_string_comes_back(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').encode()
    [response] = read(b'* LIST () "/" "' + quoted + b'"\r\n', [])
    assert parse_values(response, 7) == [[], b"/", text.encode()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[Gmail]/Sent", [b"[Gmail]/Sent"]),
        (b"BODY[HEADER.FIELDS (MESSAGE-ID)]<0.5> x", [b"BODY[HEADER.FIELDS (MESSAGE-ID)]<0.5>", b"x"]),
        (b"(\\Seen [odd) NIL nil", [[b"\\Seen", b"[odd"], None, None]),
        (b'(a (b (c)) "NIL")', [[b"a", [b"b", [b"c"]], b"NIL"]]),
        (b"\\*", [b"\\*"]),
        (b"", []),
    ],
)
def test_values(text: bytes, expected: list[object]) -> None:
    assert parse_values(Response((text,)), 0) == expected


@pytest.mark.parametrize("text", [b"(a", b"a)", b'"open', b"((a)"])
def test_what_is_no_value(text: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_values(Response((text,)), 0)


@pytest.mark.parametrize("wire", [b"* 1 FETCH (BODY[] {999999999999}\r\n"])
def test_what_would_fill_the_memory_is_refused(wire: bytes) -> None:
    with pytest.raises(Unreadable):
        list(ResponseReader().feed(wire))


def test_reading_is_linear() -> None:
    """40 MB in one literal and 100,000 short lines, in small pieces, within a few seconds."""
    reader = ResponseReader()
    piece = b"x" * 65536
    began = time.perf_counter()
    found = list(reader.feed(b"* 1 FETCH (BODY[] {%d}\r\n" % (len(piece) * 640)))
    for _ in range(640):
        found += reader.feed(piece)
    found += reader.feed(b")\r\n")
    lines = b"* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n" * 100_000
    for start in range(0, len(lines), 4096):
        found += reader.feed(lines[start : start + 4096])
    assert len(found) == 100_001
    assert time.perf_counter() - began < 3


@given(st.sets(st.integers(min_value=1, max_value=4_294_967_295), min_size=1, max_size=50))
def test_number_sets_come_back(numbers: set[int]) -> None:
    assert set(parse_number_set(format_number_set(numbers).encode())) == numbers


def test_number_sets_are_short() -> None:
    assert format_number_set([7, 1, 2, 3, 3]) == "1:3,7"
    assert parse_number_set(b"5:3,9") == [3, 4, 5, 9]


def test_a_huge_literal_is_in_memory_once() -> None:
    """It waits in a file until it is complete; what stands around it is read as ever."""
    size = 64 * 1024 * 1024
    chunk = bytes(range(256)) * 1024
    reader = ResponseReader()
    tracemalloc.start()
    try:
        assert not list(reader.feed(b"* 1 FETCH (UID 7 BODY[] {%d}\r\n" % size))
        for _ in range(size // len(chunk)):
            assert not list(reader.feed(chunk))
        (response,) = reader.feed(b" FLAGS (\\Seen))\r\n")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    fetched = parse_fetch(response)
    assert fetched is not None
    assert fetched[1]["UID"] == b"7"
    assert fetched[1]["FLAGS"] == [b"\\Seen"]
    assert response.literals[0] == chunk * (size // len(chunk))
    assert size <= peak < size * 1.1
    assert reader.empty
