"""What the simulated customers say, and that they say nothing twice."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.demo.clients import TEAM
from backend.demo.corpus import Conversation, Correspondent, corpus
from backend.demo.customers import Customers, Incoming, own_part, read_incoming
from backend.demo.mail import Letter, write
from backend.demo.memory import Memory

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "living.json")


def customers(memory: Memory) -> Customers:
    return Customers(corpus(), memory, random.Random(3))


def live(key: str) -> Conversation:
    return next(each for each in corpus() if each.id == key)


def mail_to(address: str, subject: str, text: str, number: int = 0) -> Incoming:
    letter = Letter(
        sender=Correspondent("Ana (Support · Northwind Bikes)", "support@northwind.example"), client=TEAM["ana"],
        to=address, subject=subject, text=text, when=NOW, message_id=f"<{number}@northwind.example>",
    )  # fmt: skip
    incoming = read_incoming(f"Delivered-To: {address}\r\n".encode() + write(letter), NOW)
    assert incoming is not None
    return incoming


def test_all_live_conversations_begin_once_and_in_turns(memory: Memory) -> None:
    begun: list[Conversation] = []
    while (conversation := customers(memory).next_to_write()) is not None:
        letter = customers(memory).begin(conversation, NOW)
        assert letter.sender == conversation.customer
        begun.append(conversation)
    assert {each.id for each in begun} == {each.id for each in corpus() if each.live}
    assert len({each.mailbox for each in begun[:12]}) == 4


def test_an_answer_is_the_customers_own_and_continues_the_thread(memory: Memory) -> None:
    conversation = live("support-live-23")
    incoming = mail_to(conversation.customer.address, f"Re: {conversation.subject}", "Look into the slot!")
    letter = customers(memory).answer(incoming, NOW)
    assert letter is not None
    assert letter.text.strip() == conversation.answers[0].strip()
    assert (letter.in_reply_to, letter.to) == ("<0@northwind.example>", "support@northwind.example")
    assert letter.subject == f"Re: {conversation.subject}"
    assert "Look into the slot!" in letter.body


def test_who_has_said_everything_is_silent(memory: Memory) -> None:
    conversation = live("support-live-01")
    said: list[str | None] = []
    for number in range(5):
        mail = mail_to(conversation.customer.address, conversation.subject, "Does it still squeak?", number)
        letter = customers(memory).answer(mail, NOW)
        said.append(letter.text if letter else None)
    assert said[:2] == [text.rstrip() for text in conversation.answers]
    assert said[2] is not None
    assert said[3:] == [None, None]


def test_strangers_answer_in_general_and_machines_never(memory: Memory) -> None:
    stranger = customers(memory).answer(mail_to("lou.reyes@far.example", "Spring offer", "Hello Lou!"), NOW)
    assert stranger is not None
    assert stranger.sender == Correspondent("Lou Reyes", "lou.reyes@far.example")
    assert customers(memory).answer(mail_to("noreply@far.example", "Spring offer", "Hello Lou!"), NOW) is None
    automatic = read_incoming(
        b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <1@b.example>\r\n\r\nAway", NOW
    )
    assert automatic is not None
    assert customers(memory).answer(automatic, NOW) is None


def test_nobody_repeats_what_another_has_said(memory: Memory) -> None:
    answers: list[str] = []
    people = [each for each in corpus() if each.language == "en" and not each.answers]
    for conversation in people[:40]:
        letter = customers(memory).answer(mail_to(conversation.customer.address, conversation.subject, "Done."), NOW)
        answers += [letter.text] if letter else []
    assert 5 <= len(answers) == len(set(answers))


def test_unanswered_customers_ask_once_more(memory: Memory) -> None:
    world = customers(memory)
    conversation = world.next_to_write()
    assert conversation is not None
    first = world.begin(conversation, NOW)
    assert world.waiting() == [(conversation, NOW)]
    again = world.nudge(conversation, first, NOW + timedelta(hours=1))
    assert again is not None and again.in_reply_to == first.message_id
    assert world.nudge(conversation, first, NOW + timedelta(hours=2)) is None
    world.answer(mail_to(conversation.customer.address, conversation.subject, "Sorry!"), NOW)
    assert world.waiting() == []


def test_the_own_part_ends_where_the_quote_begins() -> None:
    assert own_part("Yes.\n\nOn 1 May, Ana wrote:\n> Is it?") == "Yes."
    assert own_part("Ja?\n-- \nAna") == "Ja?"


def test_memory_outlives_its_process(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.json")
    memory.table("said")["x"] = True
    memory.save()
    assert Memory(tmp_path / "m.json").table("said") == {"x": True}
    assert (tmp_path / "m.json").stat().st_mode & 0o077 == 0
