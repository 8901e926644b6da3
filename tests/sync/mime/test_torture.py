"""Mail made to hurt is read in bounded time. pytest-timeout is the clock: each case takes a few seconds at most."""

import pytest

from sync.mime.addresses import parse_address_list
from sync.mime.identifiers import read_identifiers
from sync.mime.parse import parse_message
from sync.mime.plaintext import text_from_html
from sync.mime.quotes import split_quoted_html, split_quoted_text
from sync.mime.recipients import parse_recipients
from sync.mime.sanitise import sanitise_html
from sync.mime.subjects import base_subject

pytestmark = pytest.mark.timeout(30)
HEAD = b"From: lena@customer.example\r\nTo: support@northwind.example\r\nSubject: x\r\n"


def nested(levels: int, kind: bytes = b"mixed") -> bytes:
    raw = [HEAD]
    for level in range(levels):
        raw.append(b"Content-Type: multipart/%s; boundary=b%d\r\n\r\n--b%d\r\n" % (kind, level, level))
    raw.append(b"Content-Type: text/plain\r\n\r\nThe innermost words.\r\n")
    raw.extend(b"--b%d--\r\n" % level for level in reversed(range(levels)))
    return b"".join(raw)


def flat(parts: int) -> bytes:
    part = b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF\r\n"
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * parts + b"--b--\r\n"


def forwarded(levels: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * levels + b"Subject: end\r\n\r\nx\r\n"


@pytest.mark.parametrize("levels", [10, 40, 200])
def test_deep_nesting_is_followed(levels: int) -> None:
    message = parse_message(nested(levels))
    everything = (message.text or "").encode() + b"".join(item.content for item in message.attachments)
    assert b"The innermost words." in everything


@pytest.mark.parametrize("kind", [b"mixed", b"alternative", b"digest"])
def test_a_thousand_nested_parts_lose_nothing(kind: bytes) -> None:
    message = parse_message(nested(1000, kind))
    everything = (message.text or "").encode() + b"".join(item.content for item in message.attachments)
    assert b"The innermost words." in everything
    assert "nested-too-deep" in message.problems


def test_many_parts_and_many_forwards() -> None:
    assert len(parse_message(flat(1000)).attachments) == 1000
    assert "too-many-parts" in parse_message(flat(50_000)).problems
    assert parse_message(forwarded(5000)).attachments


def test_ten_thousand_addresses() -> None:
    people = b",\r\n ".join(b"Rider %d <rider%d@customer.example>" % (number, number) for number in range(10_000))
    message = parse_message(b"From: lena@customer.example\r\nTo: " + people + b"\r\nSubject: All\r\n\r\nx\r\n")
    assert len(message.to) == 10_000
    assert message.to[-1].address == "rider9999@customer.example"
    assert "header-cut" in message.problems


BODIES = {
    "words": b"word " * 2_000_000, "one line": b"x" * 10_000_000, "empty lines": b"\r\n" * 5_000_000,
    "quotes": b"> " * 5_000_000, "quoted lines": b">\r\n" * 3_000_000, "blanks": b" " * 10_000_000,
    "bytes": b"\xff" * 10_000_000, "equal signs": b"=" * 10_000_000, "attributions": b"On a wrote:\r\n" * 700_000,
    "signatures": b"-- \r\n" * 2_000_000,
}  # fmt: skip
HOW = [(name, b"7bit") for name in BODIES]
HOW += [("equal signs", b"quoted-printable"), ("words", b"base64"), ("bytes", b"base64")]


@pytest.mark.parametrize(("name", "encoding"), HOW)
def test_ten_megabytes_of_text(name: str, encoding: bytes) -> None:
    head = HEAD + b"Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: " + encoding
    message = parse_message(head + b"\r\n\r\n" + BODIES[name])
    assert message.subject == "x"
    assert not any(code.startswith("unreadable-") for code in message.problems)


@pytest.mark.parametrize(
    "markup",
    ["<p>word</p>" * 900_000, "<div>" * 2_000_000, "<" * 5_000_000, "<b><i>" * 500_000, "<table><td>" * 500_000,
     "<a href=x>" * 500_000, "<p style='color:red'>" * 300_000, "<style>" + "a{b:c}" * 500_000,
     "<style>" + "{(" * 300_000, "<p " + " ".join(f"a{number}=1" for number in range(100_000)) + ">",
     "<!--" * 1_000_000, "&" * 5_000_000, "<svg>" * 500_000, "</p>" * 1_000_000, "<select>" * 500_000,
     "<div><table><td></div></td></table>" * 100_000, "<p style='" + "(" * 1_000_000 + "'>",
     "<img src='data:image/png;base64," + "A" * 9_000_000 + "'>", "<blockquote type=cite>" * 100_000,
     "<p>x</p><div class=gmail_quote>" * 100_000],
    ids=lambda markup: markup[:24],
)  # fmt: skip
def test_ten_megabytes_of_markup(markup: str) -> None:
    raw = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + markup.encode()
    message = parse_message(raw)
    assert message.html is not None
    result = sanitise_html(message.html, inline_images={}, show_remote=False, proxy_url=None)
    assert len(result.html) < 20_000_000
    split_quoted_html(result.html)
    text_from_html(message.html)


@pytest.mark.parametrize(
    "value",
    ["(" * 500_000, '"' * 500_001, "<" * 500_000, "=?" * 300_000, "a " * 300_000, "@" * 500_000, ":" * 500_000,
     ", " * 300_000, '"\\' * 300_000, "=?utf-8?q?" * 60_000, "a@b.example " * 50_000, "x" * 1_000_000, "((a)" * 100_000,
     "Re: " * 200_000, "[x] " * 200_000, ";x=" * 200_000, "=?x?b?" + "A" * 500_000 + "?=", "<a@b" * 200_000],
    ids=lambda value: value[:12],
)  # fmt: skip
def test_hostile_header_values(value: str) -> None:
    parse_address_list(value)
    read_identifiers(value)
    base_subject(value)
    parse_recipients(value)
    split_quoted_text(value)
    for name in ("To", "Subject", "References", "Message-ID", "Date", "Content-Type", "Received", "List-Unsubscribe"):
        message = parse_message(f"{name}: {value}\r\n\r\nx\r\n".encode())
        assert not any(code.startswith("unreadable-") for code in message.problems)


def test_a_header_without_end() -> None:
    message = parse_message(b"X-Filler: a\r\n" * 500_000 + b"Subject: late\r\n")
    assert len(message.headers) <= 2000
    parse_message(b"Subject: x\r\n" + b" folded\r\n" * 500_000)
    parse_message(b"x" * 10_000_000)
    parse_message(b"\x00" * 1_000_000)
