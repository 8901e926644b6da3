"""A conversation as its pane."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from backend.compose.contracts import Came, Draft, Outgoing
from backend.conversations.contracts import Activity, Comment, LinkedConversation
from backend.mail.contracts import AttachmentItem, MailAddress
from frontend.faces import initials
from frontend.inbox.activities import activity_words
from frontend.inbox.opened import Opened, first_opened, stands_open
from frontend.inbox.panes import paint_pane
from frontend.reduce import apply
from frontend.view import with_detail
from tests.frontend.builders import ANA, JONAS, NOON, body, comment, detail, mark, message, row, view


def test_the_newest_message_stands_open_and_the_others_folded() -> None:
    told = detail(row(1), messages=[message(1, 1), message(2, 1), message(3, 1)], bodies=[body(3, "The last one.")])
    painted = paint_pane(view(), told, first_opened(view(), told))
    assert [(each["key"], each["open"]) for each in painted["flow"]] == [("m1", False), ("m2", False), ("m3", True)]
    assert painted["flow"][2]["text"] == "The last one."
    assert painted["flow"][0]["text"] == ""


def test_what_is_unread_stands_open_too() -> None:
    told = detail(row(1), messages=[message(i, 1) for i in (1, 2, 3)], mark=mark(1, read_up_to=1))
    assert stands_open(told, first_opened(view(), told)) == {2, 3}


def test_a_mail_that_arrives_while_somebody_reads_folds_nothing_away() -> None:
    from backend.conversations.contracts import MessageAdded

    told = detail(row(1), messages=[message(1, 1), message(2, 1)])
    opened = first_opened(view(), told)
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
    painted = paint_pane(view(), told, first_opened(view(), told))
    assert [each["key"] for each in painted["flow"]] == ["m1", "fresh", "c4", "m2", "a5"]
    assert painted["flow"][2]["html"].strip() == '<p><span class="at">@Ana Ribeiro</span> look</p>'
    assert painted["flow"][4]["text"] == "Jonas assigned you"


@pytest.mark.parametrize(
    ("kind", "actor", "subject", "value", "words"),
    [
        ("assigned", ANA, ANA, "", "You took this"),
        ("assigned", ANA, JONAS, "", "You assigned Jonas"),
        ("assigned_team", JONAS, 1, "", "Jonas assigned Service"),
        ("unassigned", JONAS, None, "", "Jonas gave this back"),
        ("status", None, None, "open", "This was moved back to the inbox in the mail account"),
        ("status", JONAS, None, "done", "Jonas marked this done"),
        ("visibility", ANA, None, "private", "You made this private"),
        ("took_over", JONAS, ANA, "", "Jonas took over your reply"),
        ("took_over", ANA, JONAS, "", "You took over Jonas’s reply"),
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
    shown = paint_pane(view(), told, first_opened(view(), told))["flow"][0]["files"]
    assert [(each["name"], each["size"]) for each in shown] == [("crack-left.jpg", "1.7 MB")]


def test_long_texts_and_long_conversations_come_in_parts() -> None:
    told = detail(row(1), messages=[message(i, 1) for i in range(1, 101)], bodies=[body(100, "x" * 50_000)])
    painted = paint_pane(view(), told, first_opened(view(), told))
    assert painted["hidden"] == 40
    assert painted["flow"][-1]["cut"]
    assert len(painted["flow"][-1]["text"]) == 20_000


def test_small_words() -> None:
    assert [initials(each) for each in ("Ana Ribeiro", "mateus@vento.example", "", "李 明", "Jonas")] == [
        "AR", "M", "?", "李明", "J",
    ]  # fmt: skip


def test_a_line_stands_above_what_is_new_until_the_conversation_is_opened_again() -> None:
    said = [comment(4, author_id=JONAS), comment(5, author_id=ANA), comment(6, author_id=JONAS)]
    told = detail(row(1, last_comment_id=6), comments=said)
    for read, keys in ((0, ["fresh", "c4", "c5", "c6"]), (4, ["c4", "c5", "fresh", "c6"]), (6, ["c4", "c5", "c6"])):
        opened = msgspec.structs.replace(first_opened(view(), told), comments_read=read)
        assert [each["key"] for each in paint_pane(view(), told, opened)["flow"]] == keys


def test_what_a_comment_links_to_is_shown_as_it_stands_now() -> None:
    link = LinkedConversation(id=8, conversation_id=9, mailbox_id=3, subject="Old", status="open")
    said = [comment(4, text="As in #8 and #7", link_ids=[7, 8])]
    told = detail(row(1), comments=said, links=[link])
    (entry,) = paint_pane(view(), told, Opened(comments_read=4))["flow"]
    assert ">Old · Open</a>" in entry["html"] and "a conversation you cannot see" in entry["html"]
    seen = view(row(9, subject="Brakes", status="done"))
    (entry,) = paint_pane(seen, told, Opened(comments_read=4))["flow"]
    assert 'data-conversation="9"' in entry["html"] and ">Brakes · Done</a>" in entry["html"]


LENA = MailAddress(name="Lena Wirth", address="lena@wirth.example")


def test_a_held_mail_shows_what_came_and_can_be_sent_anyway() -> None:
    came = [
        Came(message_id=None, author_id=JONAS, sender=None, subject="Re: x", snippet="It left\ntoday.", at=NOON),
        Came(message_id=7, author_id=None, sender=LENA, subject="x", snippet="Never mind.", at=NOON),
    ]
    held = Outgoing(
        id=1, conversation_id=1, mailbox_id=3, author_id=ANA, state="held", subject="x", to=[LENA], text="Hello",
        message_id="", created_at=NOON, undo_until=None, attempts=1, next_attempt_at=None, reason="Jonas answered.",
        remedy="", server_words="", recipients=[], attachments=[], came=came,
    )  # fmt: skip
    [entry] = paint_pane(view(row(1)), detail(row(1), outgoing=[held]), Opened())["flow"]
    shown = [(each["who"], each["text"], each["message_id"]) for each in entry["came"]]
    assert shown == [("Jonas Dahl", "It left today.", 0), ("Lena Wirth", "Never mind.", 7)]
    assert entry["choices"][0] == "send_anyway"


def test_a_colleagues_draft_stands_in_the_flow_with_its_whole_text_and_mine_does_not() -> None:
    def draft(id: int, author_id: int) -> Draft:
        return Draft(
            id=id, conversation_id=1, mailbox_id=3, author_id=author_id, kind="reply", to=[LENA], cc=[], bcc=[],
            subject="Re: x", text="Hello Lena,\n\nit left today.", attachments=[], version=1, updated_at=NOON,
        )  # fmt: skip

    drafts = [draft(1, ANA), draft(2, JONAS)]
    [entry] = paint_pane(view(row(1)), detail(row(1), drafts=drafts), Opened())["flow"]
    assert (entry["kind"], entry["id"], entry["author"], entry["who"]) == ("writing", 2, JONAS, "Jonas")
    assert (entry["snippet"], entry["text"]) == ("Hello Lena, it left today.", "Hello Lena,\n\nit left today.")
