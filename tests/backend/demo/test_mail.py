"""The mail made of the conversations: correct, and of many kinds."""

import email
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default

import pytest

from backend.demo.clients import DESKTOP, PROVIDER, flowed, reply_subject, unwrapped
from backend.demo.corpus import Attachment, Conversation, CorpusMessage, Correspondent, corpus
from backend.demo.mail import StoredMail, conversation_letters, history, times

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def mails() -> dict[str, list[StoredMail]]:
    return {each.id: history(each, START) for each in corpus() if not each.live}


def parsed(mail: StoredMail) -> EmailMessage:
    message = email.message_from_bytes(mail.raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_every_mail_parses_back_to_what_was_written(mails: dict[str, list[StoredMail]]) -> None:
    identifiers: set[str] = set()
    for conversation in corpus():
        if conversation.live:
            continue
        for written, mail in zip(conversation.messages, mails[conversation.id], strict=True):
            message = parsed(mail)
            assert [part.defects for part in message.walk() if part.defects] == [], conversation.id
            body = message.get_body(("plain",))
            assert body is not None
            assert words(body.get_content())[: len(words(written.text))] == words(written.text), conversation.id
            assert b"\n" not in mail.raw.replace(b"\r\n", b"")
            assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
            assert mail.when < START
            identifiers.add(message["Message-ID"])
    assert len(identifiers) == sum(map(len, mails.values()))


def test_a_thread_hangs_together_by_its_headers(mails: dict[str, list[StoredMail]]) -> None:
    for identifier, thread in mails.items():
        previous = None
        for mail in thread:
            message = parsed(mail)
            assert message["In-Reply-To"] == previous, identifier
            if message["References"]:
                assert str(message["References"]).split()[-1] == previous
            previous = message["Message-ID"]
        assert [mail.when for mail in thread] == sorted(mail.when for mail in thread)


def test_mail_is_as_various_as_in_the_wild(mails: dict[str, list[StoredMail]]) -> None:
    seen: Counter[str] = Counter()
    for thread in mails.values():
        for mail in thread:
            for part in parsed(mail).walk():
                if part.get_content_type() == "text/plain" and not part.get_filename():
                    seen.update((str(part.get_content_charset()), str(part["Content-Transfer-Encoding"])))
                    seen.update(("flowed",) if part.get_param("format") == "flowed" else ())
                seen[part.get_content_type()] += 1
    for kind in (
        "us-ascii",
        "utf-8",
        "iso-8859-1",
        "iso-2022-jp",
        "base64",
        "quoted-printable",
        "8bit",
        "flowed",
    ):
        assert seen[kind] >= 2, kind
    for kind in ("text/html", "multipart/alternative", "multipart/mixed", "image/jpeg", "application/pdf"):
        assert seen[kind] >= 5, kind


def test_ours_lies_in_sent_and_theirs_in_the_inbox(mails: dict[str, list[StoredMail]]) -> None:
    for thread in mails.values():
        for mail in thread:
            ours = mail.account in str(parsed(mail)["From"])
            assert mail.folder == ("Sent" if ours else "INBOX")
            assert ours or parsed(mail)["Received"] is not None


def test_long_pauses_end_before_the_demo_starts() -> None:
    conversation = _conversation(hours_later=30.0)
    moments = times(conversation, START)
    assert START - timedelta(days=1) <= moments[0] < moments[1] <= START - timedelta(minutes=3)


def test_the_same_texts_can_come_again_under_other_identifiers() -> None:
    conversation = _conversation(hours_later=1.0)
    first = conversation_letters(conversation, times(conversation, START))
    again = conversation_letters(conversation, times(conversation, START), salt="2")
    assert not {letter.message_id for letter in first} & {letter.message_id for letter in again}


def _conversation(hours_later: float) -> Conversation:
    return Conversation(
        id="support-1", subject="Bell", language="de", days_ago=0.2, mailbox="support",
        customer=Correspondent(name="Åse Ødegård", address="aase@fjell.example"),
        messages=[
            CorpusMessage(sender="customer", text="Ding?", attachments=[Attachment("bell.jpg", "photo")]),
            CorpusMessage(sender="jonas", text="Dong.", hours_later=hours_later, quote=True),
        ],
    )  # fmt: skip


def test_paragraphs_are_joined_and_lists_are_not() -> None:
    text = (
        "This is a paragraph that somebody broke because the line on the screen was full up\n"
        "to here.\n\n1. one item of a list that is long enough to fill its own line up to the end\n2. another\nshort"
    )
    assert unwrapped(text).split("\n") == [
        "This is a paragraph that somebody broke because the line on the screen was full up to here.",
        "", "1. one item of a list that is long enough to fill its own line up to the end", "2. another", "short",
    ]  # fmt: skip


def test_flowed_text_comes_back_whole() -> None:
    line = "word " * 40 + "end"
    broken = flowed(line)
    assert max(map(len, broken.split("\n"))) <= 73
    assert broken.replace(" \n", " ") == line


def test_a_reply_says_so_once() -> None:
    assert reply_subject(DESKTOP, "de", "Klingel") == "Re: Klingel"
    assert reply_subject(DESKTOP, "de", "AW: Klingel") == "AW: Klingel"
    assert reply_subject(PROVIDER, "no", "VIKTIG: klokke") == "Re: VIKTIG: klokke"
