"""What the page says of each folder of an account."""

from datetime import UTC, datetime

import pytest

from backend.accounts.contracts import AccountPlan, FolderPlan, FolderRefusal
from frontend.settings.account_words import FolderView, folder_views

AT = datetime(2026, 11, 24, 14, 2, tzinfo=UTC)
REFUSAL = FolderRefusal(since=AT, again_at=AT, reason="Not allowed.", remedy="Ask its owner.", server_words="NO")


def view(**told: object) -> FolderView:
    folder = FolderPlan(**{"name": "A", "title": "A", "role": "", "chosen": True, "state": "complete"} | told)  # pyright: ignore[reportArgumentType]
    plan = AccountPlan(history_from=None, done_to="archive", folders=[folder], set_aside=[])
    return folder_views(plan)[0]


def line(shown: FolderView) -> str:
    at = " 14:02" if shown["at"] == AT.isoformat() else ""
    return f"{shown['state']}{at}{shown['rest']}"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"complete_at": AT, "wanted": 12408, "stored": 12408},
            "Complete up to 14:02, 12,408 messages",
        ),
        (
            {"state": "partial", "complete_at": AT, "wanted": 12408, "stored": 12407, "set_aside": 1},
            "12,407 of 12,408 messages here, counted 14:02",
        ),
        ({"state": "arriving", "here": 3200}, "3,200 messages here, older mail is still arriving"),
        ({"state": "waiting"}, "Waiting for its turn"),
        ({"state": "counting"}, "Here, not counted yet"),
        ({"state": "gathers"}, "Shows mail of other folders"),
        ({"state": "not_chosen", "chosen": False, "complete_at": AT}, "Not fetched: not chosen"),
        ({"state": "refused", "refused": REFUSAL, "complete_at": AT}, "Refused by the server"),
    ],
)
def test_one_line_says_up_to_when_a_folder_is_complete_or_why_it_is_not(told: dict[str, object], words: str) -> None:
    assert line(view(**told)) == words


def test_what_is_missing_is_explained() -> None:
    shown = view(state="partial", complete_at=AT, wanted=10, stored=6, missing=1, set_aside=3)
    assert shown["why"] == "3 set aside, see below. 1 could not be fetched yet; the next count tries again."
    mended = view(complete_at=AT, wanted=10, stored=10, note="2 were missing and were fetched.")
    assert mended["why"] == "2 were missing and were fetched."
    refused = view(state="refused", refused=REFUSAL)
    assert (refused["why"], refused["again_at"]) == ("Not allowed. Ask its owner.", AT.isoformat())
    assert refused["server_words"] == "NO"
