"""What the palette hears of a batch of events."""

from __future__ import annotations

from backend.contacts.contracts import Contact, ContactChanged, ContactGone
from backend.contracts import StreamPosition
from backend.conversations.contracts import ConversationChanged, ConversationGone, HistoryStored
from backend.events.contracts import Event, EventFrame, PositionFrame, ResetFrame
from backend.mailboxes.contracts import MailboxGone
from backend.people.contracts import PersonChanged
from frontend.palette import NO_NEWS, News, after
from tests.frontend.builders import NOON, person, row


def heard(*events: Event) -> News:
    return after(
        NO_NEWS,
        [
            EventFrame(stream="mailbox:3", position=at, at=NOON, actor_id=None, event=event)
            for at, event in enumerate(events, 1)
        ],
    )


def changed(id: int, version: int, **fields: str) -> ConversationChanged:
    return ConversationChanged(row=row(id, version, **fields))


def test_rows_as_they_are_in_the_end() -> None:
    news = heard(changed(1, 4, subject="Before"), changed(1, 5, subject="After"), changed(1, 3, subject="Late"))
    assert [(each["id"], each["subject"], each["version"]) for each in news["conversations"]] == [(1, "After", 5)]
    assert news["conversations"][0]["people"] == "Mateus Oliveira"


def test_what_went_out_of_sight_or_to_the_trash_is_gone() -> None:
    news = heard(changed(1, 4), ConversationGone(conversation_id=1, version=5), changed(2, 7, status="trash"))
    assert (news["conversations"], news["gone"]) == ([], [[1, 5], [2, 7]])


def test_what_came_back_as_another_stream_told_before_stays() -> None:
    assert heard(changed(1, 6), ConversationGone(conversation_id=1, version=5))["gone"] == []
    news = heard(ConversationGone(conversation_id=1, version=5), changed(1, 4), changed(1, 6))
    assert ([each["version"] for each in news["conversations"]], news["gone"]) == ([6], [])


def test_people() -> None:
    dana = Contact(id=9, name="Dana", company="Brook", phone="", notes="", addresses=["dana@brook.example"], version=1)
    news = heard(
        ContactChanged(contact=dana),
        ContactGone(contact_id=8, merged_into=9),
        PersonChanged(person=person(1, "Ana Ribeiro")),
        PersonChanged(person=person(2, "Tom", active=False)),
    )
    assert [(each["kind"], each["name"], each["address"]) for each in news["people"]] == [
        ("contact", "Dana", "dana@brook.example"),
        ("colleague", "Ana Ribeiro", "ana@northwind.example"),
    ]
    assert news["gone_people"] == ["contact-8", "colleague-2"]


def test_what_was_not_told_one_by_one_is_fetched_again() -> None:
    assert heard(HistoryStored(mailbox_id=3, messages=50))["again"]
    assert after(NO_NEWS, [ResetFrame(stream="mailbox:3")])["again"]
    news = heard(MailboxGone(mailbox_id=3))
    assert (news["again"], news["gone_mailboxes"]) == (True, [3])


def test_what_is_none_of_its_business_is_no_news() -> None:
    position = PositionFrame(positions=[StreamPosition(stream="mailbox:3", position=7)])
    assert after(NO_NEWS, [position]) is NO_NEWS
    assert heard(changed(1, 1))["number"] == 1
