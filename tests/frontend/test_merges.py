"""Which merges can be taken back."""

from datetime import UTC, datetime

from backend.conversations.contracts import Activity
from frontend.inbox.merges import revocable


def line(number: int, kind: str, *, actor: int | None = 1, value: str = "") -> Activity:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    return Activity(
        id=number,
        conversation_id=1,
        kind=kind,  # pyright: ignore[reportArgumentType] # one of its kinds
        actor_id=actor,
        subject_id=None,
        value=value,
        at=at,
    )


def test_what_a_person_merged_can_be_taken_back_once() -> None:
    lines = [line(1, "joined"), line(2, "joined"), line(3, "unjoined", value="1")]
    assert revocable(lines) == [2]


def test_what_mail_joined_cannot() -> None:
    assert revocable([line(1, "joined", actor=None)]) == []
