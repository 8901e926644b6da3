"""One mail of the corpus for each quirk, and what must have been read from it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.mime.message import Address, ParsedMessage
from sync.mime.parse import make_snippet, parse_message

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def read(name: str) -> ParsedMessage:
    return parse_message((CORPUS / f"{name}.eml").read_bytes())


def test_a_plain_mail() -> None:
    message = read("plain")
    assert message.message_id == "q1@customer.example"
    assert message.from_ == Address("Lena K", "lena@customer.example")
    assert message.to == (Address("", "support@northwind.example"),)
    assert message.date == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    assert message.subject == "Squeaking brakes"
    assert message.text == "Hello,\n\nmy brakes squeak when it rains.\n\nLena\n"
    assert message.snippet == "Hello, my brakes squeak when it rains. Lena"
    assert (message.html, message.attachments, message.problems, message.auto_submitted) == (None, (), (), False)
    assert message.header("mime-version") == "1.0"


def test_encoded_words_in_headers() -> None:
    assert read("subject-cut-inside-a-character").subject == "Grüße aus München, die Bremse quietschô sehr"
    assert read("name-with-encoded-comma").from_ == Address("Köhler, Lena", "lena@customer.example")


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("eight-bit-headers-in-latin-1", ()),
        ("utf-8-labelled-as-latin-1", ("charset-mislabelled",)),
        ("latin-1-labelled-as-utf-8", ("charset-errors",)),
        ("unknown-charset", ("charset-unknown",)),
    ],
)
def test_wrong_character_sets(name: str, problems: tuple[str, ...]) -> None:
    message = read(name)
    assert message.text == "Für Größe 46.\n"
    assert message.problems == problems
    if name.startswith("eight"):
        assert (message.subject, message.from_) == ("Größe 46", Address("Lena Köhler", "lena@customer.example"))


def test_dates() -> None:
    message = read("no-date-but-received")
    assert message.date == datetime(2026, 3, 2, 9, 15, 7, tzinfo=UTC)
    assert message.problems == ("date-missing",)
    assert read("impossible-date").date is None
    assert read("impossible-date").problems == ("date-unreadable",)


def test_broken_structure_loses_no_words() -> None:
    rubbish = read("base64-with-rubbish")
    assert rubbish.text == "See the file."
    assert rubbish.attachments[0].content.startswith(b"Hello")
    assert "base64-broken" in rubbish.problems
    missing = read("boundary-missing-in-header")
    assert missing.text == "First words.\nSecond words."
    assert "<p>Second words.</p>" in (missing.html or "")
    assert read("boundary-never-found").text == "The only words there are.\n"
    unclosed = read("closing-boundary-missing")
    assert (unclosed.text, (unclosed.html or "").strip()) == ("Plain words.", "<p>Marked-up words.</p>")
    bare = read("no-headers-at-all")
    assert (bare.text, bare.problems[0]) == ("Just words.\n", "no-headers")


def test_a_forwarded_message_is_an_attachment() -> None:
    message = read("forwarded-as-attachment")
    assert message.text == "Please see below."
    (inner,) = message.attachments
    assert (inner.filename, inner.content_type) == ("Grüße-Regards.eml", "message/rfc822")
    assert parse_message(inner.content).text == "Inner words."


def test_only_pictures_that_the_html_shows_are_inline() -> None:
    shown, unused = read("inline-picture").attachments
    assert (shown.inline, shown.content_id, shown.filename) == (True, "hub@pic.example", "image-1.png")
    assert (unused.inline, unused.filename) == (False, "unused.png")
    between = read("picture-between-texts")
    assert (between.text, between.attachments[0].inline) == ("Above.\nBelow.", False)


def test_attachments_have_safe_names() -> None:
    assert read("winmail-dat").attachments[0].filename == "winmail.dat"
    assert read("file-name-in-rfc-2231-pieces").attachments[0].filename == "Größe.pdf"
    assert read("file-name-that-climbs").attachments[0].filename == "passfdp.exe"


def test_flowed_text_is_joined() -> None:
    expected = "One long sentence that was wrapped by the mail program.\n> quoted and wrapped.\n-- \nLena\n"
    assert read("format-flowed").text == expected
    assert read("format-flowed-delsp").text == "Donaudampfschifffahrt.\n"


def test_duplicate_headers() -> None:
    message = read("duplicate-headers")
    assert message.from_ == Address("", "first@customer.example")
    assert [item.address for item in message.to] == ["a@northwind.example", "b@northwind.example"]
    assert (message.subject, message.message_id) == ("First subject", "one@customer.example")
    assert sum(name == "Subject" for name, _ in message.headers) == 2


def test_what_stands_before_the_first_header_is_passed_over() -> None:
    message = read("mbox-line-and-cr-only")
    assert (message.subject, message.text) == ("Old Macintosh", "Words.\n")


def test_text_can_be_stored_in_postgresql() -> None:
    message = read("nul-and-surrogates")
    assert message.subject.startswith("a")
    for text in (message.subject, message.text or ""):
        assert "\0" not in text
        assert text.encode("utf-8")
    assert (message.text or "").startswith("xy ")


def test_text_is_derived_where_there_is_html_only() -> None:
    message = read("html-only")
    assert message.text_derived
    assert message.text == "Hello & welcome,\n\none\ntwo\n\nbye\nLena"
    assert "<script>" in (message.html or ""), "parsing does not sanitise"


def test_machines_and_lists() -> None:
    assert read("out-of-office").auto_submitted
    message = read("list-with-unsubscribe")
    assert not message.auto_submitted
    assert message.list_id == "Riders <riders.lists.example>"
    assert message.list_unsubscribe == ("mailto:leave@lists.example", "https://lists.example/leave")


def test_addresses_as_they_come() -> None:
    message = read("addresses-without-order")
    assert message.from_ == Address("The Management", "")
    assert message.to == ()
    assert message.cc == (
        Address("Lena, K", "lena@customer.example"),
        Address("Otto", "otto@other.example"),
        Address("", "ana@northwind.example"),
    )
    assert [item.address for item in message.bcc] == ["a@b.example", "c@d.example"]
    assert message.reply_to == (Address("", "lena@customer.example"),)


def test_every_mail_of_the_corpus_is_read() -> None:
    for path in sorted(CORPUS.glob("*.eml")):
        assert not [code for code in parse_message(path.read_bytes()).problems if code.startswith("unreadable-")], path


def test_the_snippet_is_what_was_newly_written() -> None:
    assert make_snippet("Yes, please.\n\nOn Monday Ana <a@b.example> wrote:\n> Shall we?\n") == "Yes, please."
    assert make_snippet("> only\n> quoted") == "> only > quoted"
    assert len(make_snippet("word " * 500)) <= 200


def test_the_digest_ignores_transport_and_sees_content() -> None:
    raw = (CORPUS / "plain.eml").read_bytes()
    digest = parse_message(raw).digest
    same = [
        b"Received: from x.example by y.example; Mon, 2 Mar 2026 10:16:00 +0100\r\nDelivered-To: a@b.example\r\n" + raw,
        raw.replace(b"\r\n", b"\n"),
        raw + b"\r\n",
        raw.replace(b"Subject: Squeaking brakes", b"Subject: =?utf-8?q?Squeaking?=\r\n =?utf-8?q?_brakes?="),
        raw.replace(b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable"),
    ]
    assert {parse_message(other).digest for other in same} == {digest}
    other = [raw.replace(b"rains", b"snows"), raw.replace(b"brakes\r", b"wheels\r"), raw.replace(b"lena@", b"otto@")]
    assert digest not in {parse_message(changed).digest for changed in other}
    assert len({parse_message(changed).digest for changed in other}) == 3
