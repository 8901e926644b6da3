"""A conversation as its pane."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.conversations.contracts import Activity, Comment
from backend.mail.contracts import AttachmentItem
from frontend.faces import initials
from frontend.inbox.panes import activity_words, first_opened, paint_pane, size_words, stands_open
from frontend.reduce import apply
from frontend.view import with_detail
from tests.frontend.builders import ANA, JONAS, NOON, body, detail, mark, message, row, view


def test_the_newest_message_stands_open_and_the_others_folded() -> None:
    told = detail(row(1), messages=[message(1, 1), message(2, 1), message(3, 1)], bodies=[body(3, "The last one.")])
    painted = paint_pane(view(), told, first_opened(told))
    assert [(each["key"], each["open"]) for each in painted["flow"]] == [("m1", False), ("m2", False), ("m3", True)]
    assert painted["flow"][2]["text"] == "The last one."
    assert painted["flow"][0]["text"] == ""


def test_what_is_unread_stands_open_too() -> None:
    told = detail(row(1), messages=[message(i, 1) for i in (1, 2, 3)], mark=mark(1, read_up_to=1))
    assert stands_open(told, first_opened(told)) == {2, 3}


def test_a_mail_that_arrives_while_somebody_reads_folds_nothing_away() -> None:
    from backend.conversations.contracts import MessageAdded

    told = detail(row(1), messages=[message(1, 1), message(2, 1)])
    opened = first_opened(told)
    seen = with_detail(view(), told)
    seen = apply(MessageAdded(row=row(1, version=2), message=message(3, 1)), seen)
    assert stands_open(seen.details[1], opened) == {2, 3}


def test_comments_and_activity_stand_in_the_flow_in_order() -> None:
    said = Comment(
        id=4, conversation_id=1, author_id=JONAS, text="@Ana Ribeiro look", mention_ids=[ANA], team_mention_ids=[1],
        created_at=NOON + timedelta(seconds=90),
    )  # fmt: skip
    given = Activity(
        id=5, conversation_id=1, kind="assigned", actor_id=JONAS, subject_id=ANA, value="", at=NOON + timedelta(hours=1)
    )
    told = detail(row(1), messages=[message(1, 1), message(2, 1)], comments=[said], activities=[given])
    painted = paint_pane(view(), told, first_opened(told))
    assert [each["key"] for each in painted["flow"]] == ["m1", "c4", "m2", "a5"]
    assert painted["flow"][1]["mentions"] == ["Ana Ribeiro", "Ana", "Service"]
    assert painted["flow"][3]["text"] == "Jonas assigned you"


@pytest.mark.parametrize(
    ("kind", "actor", "subject", "value", "words"),
    [
        ("assigned", ANA, ANA, "", "You took this"),
        ("assigned", ANA, JONAS, "", "You assigned Jonas"),
        ("assigned_team", JONAS, 1, "", "Jonas assigned Service"),
        ("unassigned", JONAS, None, "", "Jonas gave this back"),
        ("status", None, None, "open", "Tandem opened this again"),
        ("status", JONAS, None, "done", "Jonas marked this done"),
        ("visibility", ANA, None, "private", "You made this private"),
    ],
)
def test_activity_in_words(kind: Any, actor: int | None, subject: int | None, value: str, words: str) -> None:
    told = Activity(
        id=1,
        conversation_id=1,
        kind=kind,
        actor_id=actor,
        subject_id=subject,
        value=value,
        at=NOON,
    )
    assert activity_words(view(), told) == words


def test_inline_pictures_are_not_offered_as_files() -> None:
    files = [
        AttachmentItem(position=1, filename="crack-left.jpg", content_type="image/jpeg", size=1_800_000, inline=False),
        AttachmentItem(position=2, filename="logo.png", content_type="image/png", size=900, inline=True),
    ]
    told = detail(row(1), messages=[message(1, 1, attachments=files)], bodies=[body(1)])
    shown = paint_pane(view(), told, first_opened(told))["flow"][0]["files"]
    assert [(each["name"], each["size"]) for each in shown] == [("crack-left.jpg", "1.8 MB")]


def test_long_texts_and_long_conversations_come_in_parts() -> None:
    told = detail(row(1), messages=[message(i, 1) for i in range(1, 101)], bodies=[body(100, "x" * 50_000)])
    painted = paint_pane(view(), told, first_opened(told))
    assert painted["hidden"] == 40
    assert painted["flow"][-1]["cut"]
    assert len(painted["flow"][-1]["text"]) == 20_000


def test_small_words() -> None:
    assert [size_words(each) for each in (812, 14_300, 1_800_000)] == ["812 B", "14 KB", "1.8 MB"]
    assert [initials(each) for each in ("Ana Ribeiro", "mateus@vento.example", "", "李 明", "Jonas")] == [
        "AR", "M", "?", "李明", "J",
    ]  # fmt: skip
