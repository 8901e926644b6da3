"""A small baseline JPEG encoder (ITU-T T.81), so that the demo's photos need no imaging library.

It is meant for flat, painted pictures: equal 8 by 8 blocks are transformed once, so a picture of large
surfaces takes some 50 ms in plain Python. Colour is not subsampled.
"""

import functools
import math
import struct
from collections.abc import Iterator, Sequence

_ZIGZAG = sorted(
    range(64),
    key=lambda i: (i // 8 + i % 8, (i // 8 if (i // 8 + i % 8) % 2 else i % 8)),
)
_LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""The quantisation table of Annex K.1; it serves for colour too."""

_DC_COUNTS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
_DC_SYMBOLS = tuple(range(12))
_AC_COUNTS = (0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125)
_AC_SYMBOLS = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435"
    "363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798"
    "999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4"
    "f5f6f7f8f9fa"
)
"""The Huffman tables of Annex K.3 for luminance: counts by code length, and the symbols in order."""

Plane = Sequence[bytearray]
"""One byte a pixel, row by row; width and height are multiples of eight."""


def _codes(counts: Sequence[int], symbols: Sequence[int]) -> dict[int, tuple[int, int]]:
    table: dict[int, tuple[int, int]] = {}
    code = position = 0
    for length, count in enumerate(counts, start=1):
        for symbol in symbols[position : position + count]:
            table[symbol] = (code, length)
            code += 1
        position += count
        code <<= 1
    return table


_DC_CODES = _codes(_DC_COUNTS, _DC_SYMBOLS)
_AC_CODES = _codes(_AC_COUNTS, _AC_SYMBOLS)
_COSINES = [
    [math.cos((2 * x + 1) * u * math.pi / 16) * (math.sqrt(0.125) if u == 0 else 0.5) for x in range(8)]
    for u in range(8)
]


def _transform(row: Sequence[float]) -> list[float]:
    """The eight DCT coefficients of eight values."""
    first = row[0]
    if all(value == first for value in row):
        return [first * 8 * _COSINES[0][0], 0, 0, 0, 0, 0, 0, 0]
    a, b, c, d, e, f, g, h = row
    return [a * k[0] + b * k[1] + c * k[2] + d * k[3] + e * k[4] + f * k[5] + g * k[6] + h * k[7] for k in _COSINES]


@functools.lru_cache(maxsize=4096)
def _coefficients(block: bytes, softness: int) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The quantised DC value of a block and its AC part as (bits, length) pairs, ready to be written."""
    rows = [_transform([value - 128 for value in block[start : start + 8]]) for start in range(0, 64, 8)]
    columns = [_transform([row[u] for row in rows]) for u in range(8)]
    steps = [max(1, step * softness // 100) for step in _LUMINANCE]
    zigzag = [round(columns[i % 8][i // 8] / steps[i]) for i in _ZIGZAG]
    bits: list[tuple[int, int]] = []
    run = 0
    for value in zigzag[1:]:
        if value == 0:
            run += 1
            continue
        while run > 15:
            bits.append(_AC_CODES[0xF0])
            run -= 16
        size = abs(value).bit_length()
        bits += [_AC_CODES[run << 4 | size], _magnitude(value, size)]
        run = 0
    if run:
        bits.append(_AC_CODES[0])
    return zigzag[0], tuple(bits)


def _magnitude(value: int, size: int) -> tuple[int, int]:
    return (value if value > 0 else value + (1 << size) - 1), size


def _blocks(planes: Sequence[Plane]) -> Iterator[tuple[int, bytes]]:
    """All blocks as (component, 64 bytes), interleaved as a scan without subsampling wants them."""
    for top in range(0, len(planes[0]), 8):
        for left in range(0, len(planes[0][0]), 8):
            for component, plane in enumerate(planes):
                yield component, b"".join(bytes(row[left : left + 8]) for row in plane[top : top + 8])


_HEAD = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\x48\0\x48\0\0"


def with_comment(picture: bytes, comment: str) -> bytes:
    """The same picture with a comment in it, so that two files of one picture differ."""
    return _HEAD + _segment(0xFE, comment.encode()) + picture[len(_HEAD) :]


def encode(planes: Sequence[Plane], softness: int = 45) -> bytes:
    """A JPEG file of the three planes Y, Cb and Cr, of equal size.

    ``softness`` scales the quantisation table, in percent: more is smaller and coarser.
    """
    height, width = len(planes[0]), len(planes[0][0])
    steps = bytes(max(1, _LUMINANCE[i] * softness // 100) for i in _ZIGZAG)
    head = [
        _HEAD,
        _segment(0xDB, b"\0" + steps),
        _segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + b"\1\x11\0\2\x11\0\3\x11\0"),
        _segment(0xC4, b"\x00" + bytes(_DC_COUNTS) + bytes(_DC_SYMBOLS)),
        _segment(0xC4, b"\x10" + bytes(_AC_COUNTS) + _AC_SYMBOLS),
        _segment(0xDA, b"\3\1\0\2\0\3\0\0\x3f\0"),
    ]
    previous = [0] * len(planes)
    written: list[str] = []
    for component, block in _blocks(planes):
        dc, rest = _coefficients(block, softness)
        difference = dc - previous[component]
        previous[component] = dc
        size = abs(difference).bit_length()
        written.append("{:0{}b}".format(*_DC_CODES[size]))
        if size:
            written.append("{:0{}b}".format(*_magnitude(difference, size)))
        written += ["{:0{}b}".format(code, length) for code, length in rest]
    stream = "".join(written)
    stream += "1" * (-len(stream) % 8)
    scan = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\0")
    return b"".join((*head, scan, b"\xff\xd9"))


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
