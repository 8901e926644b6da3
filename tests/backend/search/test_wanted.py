"""Taking a search apart, and the values of its operators."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import Unacceptable
from backend.search.values import read_days, read_size
from backend.search.wanted import MOST_WORDS, OPERATORS, Term, read_wanted

TODAY = date(2026, 12, 1)
typed = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.one_of(
            st.sampled_from(
                [*(f"{each}:" for each in OPERATORS), "OR", "AND", "-", '"', " ", "is:done", "x", "http://a"]
            ),
            st.text(max_size=8),
        ),
        max_size=25,
    ).map("".join),
)


@given(typed)
def test_any_text_is_read_and_written_again_as_an_equal_search(text: str) -> None:
    try:
        wanted = read_wanted(text)
    except Unacceptable:  # more words than anybody types
        assert len(text) > MOST_WORDS
        return
    assert read_wanted(wanted.written()) == wanted
    assert all(term.value and term.key in ("", *OPERATORS) for term in wanted.terms)


@given(st.text(max_size=40))
def test_any_value_is_a_day_or_a_size_or_none(text: str) -> None:
    days = read_days(text, TODAY)
    assert days is None or timedelta(days=1) <= days[1] - days[0] <= timedelta(days=366)
    size = read_size(text)
    assert size is None or size >= 0


def test_words_phrases_operators_and_their_opposites() -> None:
    groups = read_wanted('road "broken spoke" -Squeak from:"Ana B" -IS:done invoice OR receipt OR tag:x wob').groups
    assert groups == (
        (Term("", "road"),),
        (Term("", "broken spoke", quoted=True),),
        (Term("", "Squeak", negated=True),),
        (Term("from", "Ana B", quoted=True),),
        (Term("is", "done", negated=True),),
        (Term("", "invoice"), Term("", "receipt"), Term("tag", "x")),
        (Term("", "wob", unfinished=True),),
    )


def test_what_is_no_operator_is_a_word() -> None:
    for text in ("http://a.example/b", "10:30", "ab:cd:ef", "-", "e-mail", "or"):
        assert read_wanted(text).groups == ((Term("", text, unfinished=True),),), text
    assert not read_wanted('from: "" to:"" OR') or read_wanted('from: "" to:"" OR').terms == []


@pytest.mark.parametrize(
    ("text", "first", "days"),
    [
        ("2026-11-30", date(2026, 11, 30), 1),
        ("2026/11/3", date(2026, 11, 3), 1),
        ("30.11.2026", date(2026, 11, 30), 1),
        ("30.11.", date(2026, 11, 30), 1),
        ("24.12.", date(2025, 12, 24), 1),
        ("11/30/2026", date(2026, 11, 30), 1),
        ("2026-11", date(2026, 11, 1), 30),
        ("2024", date(2024, 1, 1), 366),
        ("today", TODAY, 1),
        ("Yesterday", date(2026, 11, 30), 1),
        ("tuesday", TODAY, 1),
        ("wed", date(2026, 11, 25), 1),
        ("november", date(2026, 11, 1), 30),
        ("nov 2025", date(2025, 11, 1), 30),
        ("7d", date(2026, 11, 24), 1),
        ("2w", date(2026, 11, 17), 1),
        ("3 months ago", date(2026, 9, 1), 1),
        ("1y", date(2025, 12, 1), 1),
    ],
)
def test_days_as_people_type_them(text: str, first: date, days: int) -> None:
    assert read_days(text, TODAY) == (first, first + timedelta(days=days))


@pytest.mark.parametrize("text", ["", "soon", "31.02.2026", "2026-13", "9999y", "0001-01-01", "1.1.1", "²d"])
def test_what_is_no_day(text: str) -> None:
    assert read_days(text, TODAY) is None


def test_sizes() -> None:
    texts = ("700", "500k", "5M", "1.5 MB", "2gib", "12,5kb", "x", "", "-5")
    sizes = [700, 500_000, 5_000_000, 1_500_000, 2_000_000_000, 12_500, None, None, None]
    assert [read_size(each) for each in texts] == sizes
