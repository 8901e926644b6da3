"""What has to move for a message to stand where it should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.mail.places import Place, Stand, Where, is_there, to_move, where

WHERES: list[Where] = ["inbox", "done", "trash", "junk", "sent", "drafts", "other"]
PLACES: list[Place] = ["inbox", "done", "trash", "junk"]


def stands(*places: Where) -> list[Stand]:
    return [Stand(number, number, number, place) for number, place in enumerate(places)]


@pytest.mark.parametrize(
    ("role", "name", "means"),
    [
        ("inbox", "INBOX", "inbox"),
        ("archive", "[Gmail]/All Mail", "done"),
        ("", "Done", "done"),
        ("", "INBOX.done", "done"),
        ("", "Not Done", "other"),
        ("", "Projects/Done deals", "other"),
        ("junk", "Done", "junk"),
    ],
)
def test_what_standing_in_a_folder_means(role: str, name: str, means: Where) -> None:
    assert where(role, name) == means


@pytest.mark.parametrize(
    ("wanted", "there", "moves"),
    [
        ("done", ["inbox"], ["inbox"]),
        ("done", ["inbox", "done"], ["inbox"]),
        ("done", ["other"], []),
        ("done", ["trash"], ["trash"]),
        ("inbox", ["done", "trash"], ["done"]),
        ("inbox", ["trash", "inbox"], []),
        ("inbox", ["other"], []),
        ("trash", ["inbox", "done", "sent", "other"], ["inbox", "done", "other"]),
        ("junk", ["trash", "drafts"], ["trash"]),
        ("inbox", ["sent"], []),
    ],
)
def test_what_moves(wanted: Place, there: list[Where], moves: list[Where]) -> None:
    assert [stand.where for stand in to_move(wanted, stands(*there))] == moves


@given(st.sampled_from(PLACES), st.lists(st.sampled_from(WHERES), max_size=5), st.booleans())
def test_once_moved_nothing_is_left_to_move(wanted: Place, there: list[Where], stays: bool) -> None:
    before = stands(*there)
    moving = to_move(wanted, before, done_stays=stays)
    target: Where = "inbox" if wanted == "done" and stays else wanted
    places: list[Where] = [target if stand in moving else stand.where for stand in before]
    after = stands(*places)
    assert to_move(wanted, after, done_stays=stays) == []
    if moving:
        assert any(is_there(wanted, stand, done_stays=stays) for stand in after)
    assert all(stand.where not in ("sent", "drafts") for stand in moving)
