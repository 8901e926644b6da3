"""What is offered while somebody types a search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contacts.contracts import AddressSuggestion
from backend.tags.contracts import Tag
from frontend.inbox.completing import names_a_status, offers, sorted_by, typed
from tests.frontend.builders import view


def shown(text: str) -> list[str]:
    return [each["shown"] for each in offers(VIEW, text)]


def texts(text: str) -> list[str]:
    return [each["text"] for each in offers(VIEW, text)]


VIEW = view(tags={1: Tag(id=1, name="Big order", colour=1), 2: Tag(id=2, name="Änderung", colour=2)})


@given(st.text(max_size=60))
def test_any_text_is_taken_apart_and_goes_on_with_what_is_offered(text: str) -> None:
    last = typed(text)
    assert text.startswith(last.before + last.minus)
    for offer in offers(VIEW, text):
        assert offer["text"].startswith(last.before)


def test_operators_first_then_their_values() -> None:
    assert shown("")[:3] == ["from:", "to:", "subject:"] and shown("wheel ") == []
    assert shown("wheel as") == ["assignee:"] and shown("wheel -ta") == ["-tag:"]
    assert shown("zz") == [] and shown('"is:') == []
    assert shown("is:un") == ["unread", "unassigned"]
    assert shown("in:tr") == ["trash"]


def test_names_with_blanks_are_quoted_and_accents_folded() -> None:
    assert texts("wheel tag:or") == texts('wheel tag:"big o') == ['wheel tag:"Big order" ']
    assert texts("-tag:ande") == ["-tag:Änderung "]


def test_addresses_are_those_that_are_given() -> None:
    given_ = [AddressSuggestion(name="Carla", address="carla@customer.example", contact_id=1)]
    [offer] = offers(VIEW, "wheel from:ca", given_)
    assert (offer["text"], offer["hint"]) == ("wheel from:carla@customer.example ", "Carla")


@pytest.mark.parametrize(
    ("text", "order", "wanted"),
    [
        ("wheel", "relevance", "wheel sort:relevance"),
        ("sort:newest wheel", "relevance", "wheel sort:relevance"),
        ("wheel sort:relevance", "newest", "wheel"),
    ],
)
def test_the_order_is_part_of_the_search(text: str, order: str, wanted: str) -> None:
    assert sorted_by(text, order) == wanted


def test_whether_a_search_names_a_status() -> None:
    assert names_a_status("x is:spam") and names_a_status("-is:done") and names_a_status("in:anywhere")
    assert not names_a_status("is:unread wheel in:support")
