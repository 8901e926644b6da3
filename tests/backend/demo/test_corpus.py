"""The demo's conversations: their form, their number, and that nobody repeats anybody."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.demo.corpus import CorpusError, corpus, load_all, load_file, load_yaml
from backend.demo.people import MAILBOXES, members_of
from tests.backend.demo.sentences import conversation_texts, long_sentences, strings

DEMO = Path(__file__).parents[3] / "backend" / "demo"


def test_there_are_about_three_hundred_conversations_in_every_mailbox_and_many_languages() -> None:
    history = [conversation for conversation in corpus() if not conversation.live]
    assert 270 <= len(history) <= 400
    counted = Counter(conversation.mailbox for conversation in history)
    assert set(counted) == set(MAILBOXES)
    languages = Counter(conversation.language for conversation in history)
    assert 0.5 < languages["en"] / len(history) < 0.8
    assert len(languages) >= 10
    assert any(message.html for each in history for message in each.messages)
    kinds = {file.kind for each in history for message in each.messages for file in message.attachments}
    assert {"photo", "pdf", "csv"} <= kinds
    assert {1, 2, 3, 4, 5} <= {len(conversation.messages) for conversation in history}


def test_live_mail_waits_for_every_group_mailbox() -> None:
    live = Counter(conversation.mailbox for conversation in corpus() if conversation.live)
    assert {"support", "sales", "billing"} <= set(live)
    assert sum(live.values()) >= 20


def test_talk_is_mostly_between_those_who_may_see_it() -> None:
    """What somebody without access to the mailbox says is left out when the demo is set up."""
    heard: Counter[bool] = Counter()
    for conversation in corpus():
        members = members_of(MAILBOXES[conversation.mailbox])
        heard.update(comment.by in members for comment in conversation.comments)
    assert heard[True] > 150 and heard[False] < 0.2 * heard[True]


def _all_texts() -> Iterator[tuple[str, str]]:
    for conversation in corpus():
        for text in conversation_texts(conversation):
            yield conversation.id, text
    for name in ("answers.yaml", "teammates.yaml"):
        for number, text in enumerate(strings(load_yaml(DEMO / name))):
            yield f"{name}#{number}", text


def test_no_sentence_of_more_than_eight_words_occurs_in_two_conversations() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for place, text in _all_texts():
        for sentence in long_sentences(text):
            places[sentence].add(place)
    assert len(places) > 1500
    repeated = {sentence: sorted(where) for sentence, where in places.items() if len(where) > 1}
    assert repeated == {}


def test_the_sentence_rule_sees_what_it_should() -> None:
    quoted = "> These words are quoted and so they do not count here"
    text = f"Thank you!\n{quoted}\nWe shall send it on the Monday after next, promise."
    assert list(long_sentences(text)) == ["we shall send it on the monday after next promise"]
    assert list(long_sentences("Kind regards from all of us in the shop.")) != []
    assert list(long_sentences("Kind regards from all of us here.")) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- id: [", "while parsing"),
        ("id: x", "list of conversations"),
        ("- {id: a, subject: b, language: no, mood: bad}", "mood"),
        ("- {id: a, subject: b, language: no, customer: {name: A, address: a@real.test}, days_ago: 1,"
         " messages: [{from: customer, text: hello}]}", "not an .example address"),
        ("- {id: a, subject: b, language: no, customer: {name: A, address: a@b.example},"
         " messages: [{from: customer, text: hello}]}", "days_ago is missing"),
        ("- {id: a, subject: b, language: no, customer: {name: A, address: a@b.example}, days_ago: 1,"
         " messages: [{from: nils, text: hello}]}", "nobody is called 'nils'"),
        ("- {id: a, subject: b, language: no, customer: {name: A, address: a@b.example}, days_ago: 1,"
         " messages: [{from: customer, text: hello}], comments: [{by: ana, after: 2, text: x}]}", "does not exist"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_name_and_the_fault(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "01-x.yaml").write_text(text)
    with pytest.raises(CorpusError, match=complaint) as refused:
        load_file(tmp_path / "01-x.yaml", "support")
    assert "01-x.yaml" in str(refused.value)


def test_norwegian_is_a_language_and_an_unknown_mailbox_is_a_fault(tmp_path: Path) -> None:
    text = (
        "- {id: a, subject: 2026-01-02, language: no, days_ago: 2,"
        " customer: {name: Yes, address: a@b.example}, messages: [{from: customer, text: on}]}"
    )
    (tmp_path / "support").mkdir()
    (tmp_path / "support" / "01-x.yaml").write_text(text)
    (conversation,) = load_all(tmp_path)
    assert (conversation.language, conversation.subject) == ("no", "2026-01-02")
    assert (conversation.customer.name, conversation.messages[0].text) == ("Yes", "on")
    (tmp_path / "support").rename(tmp_path / "gardening")
    with pytest.raises(CorpusError, match="gardening"):
        load_all(tmp_path)
