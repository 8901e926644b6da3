"""Address lists of headers, and recipients as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mime.addresses import parse_address_list
from sync.mime.message import Address
from sync.mime.recipients import parse_recipients
from tests.shared_data import shared_data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ana <ana@x.example>", [("Ana", "ana@x.example")]),
        ('"Ruiz, Ana" <ana@x.example>, b@x.example', [("Ruiz, Ana", "ana@x.example"), ("", "b@x.example")]),
        ("ana@x.example (Ana (from Bilbao))", [("Ana (from Bilbao)", "ana@x.example")]),
        ("team: a@x.example, B <b@x.example>;, c@x.example",
         [("", "a@x.example"), ("B", "b@x.example"), ("", "c@x.example")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?q?K=C3=B6hler=2C_L?= <l@x.example>", [("Köhler, L", "l@x.example")]),
        ('"=?utf-8?q?J=C3=B6rg?=" <j@x.example>', [("Jörg", "j@x.example")]),
        ("\"'ana@x.example'\" <ana@x.example>", [("", "ana@x.example")]),
        ("<@relay.example:ana@x.example>", [("", "ana@x.example")]),
        ("ana@x.example <>", [("", "ana@x.example")]),
        ("Ana Ruiz ana@x.example", [("Ana Ruiz", "ana@x.example")]),
        ("a@x.example b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("<a@x.example> <b@x.example>", [("", "a@x.example"), ("", "b@x.example")]),
        ('"never closed <a@x.example>, b@x.example', [('"never closed', "a@x.example"), ("", "b@x.example")]),
        ('"a b"@x.example', [("", '"a b"@x.example')]),
        ("ana @ x . example", [("", "ana@x.example")]),
        ("a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
        ("mailto:ana@x.example", [("", "ana@x.example")]),
        ("The Management", [("The Management", "")]),
        ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("", []),
        (" , ;; ,", []),
    ],
)  # fmt: skip
def test_headers(value: str, expected: list[tuple[str, str]]) -> None:
    assert parse_address_list(value) == [Address(*pair) for pair in expected]


@given(st.text(alphabet='ab@.<>()",;:\\= ?\n\t', max_size=60))
def test_any_header_value_gives_addresses_without_blanks_or_brackets(value: str) -> None:
    for found in parse_address_list(value):
        assert found.name or found.address
        if found.address and not found.address.startswith('"'):
            assert not set(found.address) & set(" <>,;\n\t")
            assert "@" in found.address


def test_typed_recipients() -> None:
    found, problems = parse_recipients(
        'Ana <ana@x.example>, "Köhler, Lena" <lena@x.example>; otto@bücher.example\nmia@x.example jo@x.example,'
        " mailto:kim@x.example, ANA@x.example, Tom Ng tom@x.example"
    )
    assert problems == []
    assert found == [
        Address("Ana", "ana@x.example"),
        Address("Köhler, Lena", "lena@x.example"),
        Address("", "otto@bücher.example"),
        Address("", "mia@x.example"),
        Address("", "jo@x.example"),
        Address("", "kim@x.example"),
        Address("Tom Ng", "tom@x.example"),
    ]


@pytest.mark.parametrize("entry", ["Ana", "ana@", "@x.example", "a@b@x.example", "ana@x..example", "<>", "ü@x.example"])
def test_each_bad_entry_is_named_with_a_reason(entry: str) -> None:
    found, problems = parse_recipients(f"{entry}, good@x.example")
    assert [item.address for item in found] == ["good@x.example"]
    assert [(problem.entry, bool(problem.reason)) for problem in problems] == [(entry, True)]


@pytest.mark.parametrize("name", ["mailbox_valid.txt", "mailbox_invalid.txt"])
def test_lists_of_addresses(name: str) -> None:
    lines = (shared_data("mime-flanker") / name).read_text("utf-8", "replace").splitlines()
    entries = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    assert len(entries) > 5
    for entry in entries:
        found, problems = parse_recipients(entry)
        assert found or problems
        parse_address_list(entry)
