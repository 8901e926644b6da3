"""format=flowed (RFC 3676): what is broken softly is read again as it was."""

import email
import email.policy
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.mime.build import build_message
from sync.mime.parse import parse_message
from sync.mime.plaintext import WIDTH, flow, unflow
from tests.sync.mime.test_build import PLAIN

LONG = "We have checked every front wheel from this delivery, and yours is one of 61 that can crack at the spokes."


def test_long_lines_are_broken_where_a_reader_joins_them_again() -> None:
    broken = flow(LONG)
    assert all(len(line) <= WIDTH for line in broken.split("\n"))
    assert [line[-1:] for line in broken.split("\n")][:-1] == [" "]
    assert unflow(broken, delete_space=False) == LONG


@pytest.mark.parametrize(
    "text",
    [
        "> " + LONG,
        ">> deeper\n> less\nmine",
        "-- \nAna",
        " indented",
        "From here on",
        ">no quotation",
        "a\n\nb",
        "> > old",
    ],
)
def test_quotations_signatures_and_indented_lines_stay(text: str) -> None:
    assert unflow(flow(text), delete_space=False) == text


def test_a_mail_without_html_says_that_its_lines_flow() -> None:
    raw = build_message(replace(PLAIN, text=LONG, flowed=True))
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert (read.get_content_type(), read.get_param("format")) == ("text/plain", "flowed")
    assert parse_message(raw).text == LONG + "\n"


characters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(characters, max_size=200), max_size=6).map("\n".join))
def test_whatever_is_written_is_read_again(text: str) -> None:
    wanted = "\n".join(line if line == "-- " else line.rstrip() for line in text.split("\n"))
    # A quotation mark is parted from the words by one blank, however it was written.
    wanted = re.sub(r"^(>+)$", r"\1", wanted, flags=re.MULTILINE)
    read = parse_message(build_message(replace(PLAIN, text=text, flowed=True))).text or ""
    assert [line.rstrip() for line in read.strip("\n").split("\n")] == [
        line.rstrip() for line in wanted.strip("\n").split("\n")
    ]
