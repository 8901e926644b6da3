"""What we build is read again as it was meant, by us and by the standard library; nothing can be injected."""

import email
import email.policy
import html
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.mime.build import Composition, CompositionError, build_message, new_message_id
from sync.mime.composed import composed_text, finished
from sync.mime.message import Address, Attachment
from sync.mime.parse import parse_message

ANA = Address("Ana Ruiz", "ana@northwind.example")
LENA = Address("Lena Köhler", "lena@customer.example")
PLAIN = Composition(
    message_id="m1@northwind.example",
    from_=ANA,
    to=(LENA,),
    subject="Your gear hub",
    date=datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=1))),
    text="Hello Lena,\n\nit is ready.\n",
)


def test_a_plain_reply() -> None:
    raw = build_message(replace(PLAIN, in_reply_to="q@customer.example", references=("p@customer.example",)))
    message = parse_message(raw)
    assert message.message_id == "m1@northwind.example"
    assert message.in_reply_to == ("q@customer.example",)
    assert message.references == ("p@customer.example", "q@customer.example")
    assert message.date == PLAIN.date.astimezone(UTC)
    assert (message.from_, message.to) == (ANA, (LENA,))
    assert (message.subject, message.text) == ("Your gear hub", "Hello Lena,\n\nit is ready.\n")
    assert message.problems == () and raw.endswith(b"\r\n")


def test_who_sends_on_behalf_stands_in_sender() -> None:
    raw = build_message(replace(PLAIN, sender=LENA))
    message = parse_message(raw)
    assert (message.from_, message.sender) == (ANA, LENA)
    assert b"\r\nSender: " not in build_message(PLAIN)


def test_the_same_composition_gives_the_same_bytes() -> None:
    composed = replace(PLAIN, html="<p>x</p>", attachments=(Attachment(0, "a.txt", "text/plain", None, False, b"x"),))
    assert build_message(composed) == build_message(composed)


def test_bcc_is_checked_but_never_written() -> None:
    raw = build_message(replace(PLAIN, bcc=(Address("", "secret@hidden.example"),)))
    assert b"secret" not in raw and b"bcc" not in raw.lower()
    with pytest.raises(CompositionError, match="Bcc"):
        build_message(replace(PLAIN, bcc=(Address("", "nobody"),)))
    only_bcc = build_message(replace(PLAIN, to=(), bcc=(LENA,)))
    assert b"To: undisclosed-recipients:;\r\n" in only_bcc


def test_pictures_and_files_nest_as_mail_clients_expect() -> None:
    picture = Attachment(0, "hub.png", "image/png", "hub@northwind.example", True, b"\x89PNG")
    file = Attachment(
        1,
        "Übergröße für Größe 46 und noch viel länger, wirklich sehr lang.pdf",
        "application/pdf",
        None,
        False,
        b"%PDF",
    )
    mail = Attachment(2, "old.eml", "message/rfc822", None, False, b"Subject: x\n\ny\n")
    raw = build_message(replace(PLAIN, html='<img src="cid:hub@northwind.example">', attachments=(picture, file, mail)))
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert [part.get_content_type() for part in read.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf", "application/octet-stream",
    ]  # fmt: skip
    assert not any(part.defects for part in read.walk())
    message = parse_message(raw)
    assert [(item.filename, item.inline, item.content) for item in message.attachments] == [
        ("hub.png", True, b"\x89PNG"),
        (file.filename, False, b"%PDF"),
        ("old.eml", False, b"Subject: x\n\ny\n"),
    ]


def test_long_references_stay_identifiers() -> None:
    ids = tuple(f"{number}-{'x' * 90}@mail.example" for number in range(30))
    raw = build_message(replace(PLAIN, references=ids))
    assert parse_message(raw).references == ids
    assert b"=?" not in raw.split(b"References:")[1].split(b"MIME-Version")[0]


def test_many_references_keep_the_root_and_the_newest() -> None:
    ids = tuple(f"{number}@mail.example" for number in range(300))
    kept = parse_message(build_message(replace(PLAIN, references=ids))).references
    assert kept[0] == ids[0] and kept[-1] == ids[-1] and len(kept) == 50


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "x\r\nBcc: all@victims.example"}, "Subject"),
        ({"subject": "x\n\nbody"}, "Subject"),
        ({"from_": Address("Ana\r\nX: y", "ana@northwind.example")}, "From"),
        ({"to": (Address("", "lena@customer.example>\r\nX: y"),)}, "To"),
        ({"to": (Address("", "lena@customer.example, b@b.example"),)}, "To"),
        ({"to": (Address("", ""),)}, "To"),
        ({"to": (Address("", "lená@customer.example"),)}, "To"),
        ({"to": ()}, "To"),
        ({"cc": (Address("", "a b@c.example"),)}, "Cc"),
        ({"reply_to": (Address("", "x"),)}, "Reply-To"),
        ({"message_id": "a@b>\r\nX: y"}, "Message-ID"),
        ({"in_reply_to": "a b@c"}, "In-Reply-To"),
        ({"references": ("a@b\n",)}, "References"),
        ({"date": datetime(2026, 3, 1)}, "Date"),
        ({"attachments": (Attachment(0, "a\r\nX: y.txt", "text/plain", None, False, b""),)}, "attachment name"),
        ({"attachments": (Attachment(0, "a", "image/png", "x>\r\nY: z", True, b""),)}, "Content-ID"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(change: dict[str, object], field: str) -> None:
    with pytest.raises(CompositionError) as caught:
        build_message(replace(PLAIN, **change))
    assert caught.value.field == field


def test_a_hostile_content_type_becomes_a_plain_file() -> None:
    raw = build_message(replace(PLAIN, attachments=(Attachment(0, "a", "text/html\r\nX: y", None, False, b"x"),)))
    assert parse_message(raw).attachments[0].content_type == "application/octet-stream"


def test_international_domains_go_out_in_ascii() -> None:
    raw = build_message(replace(PLAIN, to=(Address("", "lena@straße.example"),)))
    assert b"To: lena@xn--strae-oqa.example\r\n" in raw


def test_new_message_ids_differ_and_name_the_domain() -> None:
    first, second = new_message_id("Bücher.example"), new_message_id("Bücher.example")
    assert first != second and first.endswith("@xn--bcher-kva.example")
    with pytest.raises(CompositionError):
        new_message_id("a b\r\n")


line = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=120)
names = line.map(str.strip).filter(lambda name: "=?" not in name)


@settings(max_examples=150, deadline=None)
@given(
    subject=line,
    name=names,
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=3000),
    filename=line,
    content=st.binary(max_size=500),
)
def test_whatever_is_composed_is_read_again(subject: str, name: str, text: str, filename: str, content: bytes) -> None:
    composed = replace(
        PLAIN,
        subject=subject,
        from_=Address(name, "ana@northwind.example"),
        text=text,
        attachments=(Attachment(0, filename, "application/pdf", None, False, content),),
    )
    raw = build_message(composed)
    assert all(len(part) <= 998 for part in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    message = parse_message(raw)
    assert message.subject == " ".join(subject.split()) or message.subject.split() == subject.split()
    assert message.from_ is not None
    assert message.from_.address == "ana@northwind.example"
    if "'" not in name and name != "ana@northwind.example":
        assert message.from_.name.split() == name.split()
    assert message.text is not None
    assert message.text.rstrip("\n") == text.removesuffix("\n").rstrip("\n")
    assert message.attachments[0].content == content
    reference = email.message_from_bytes(raw, policy=email.policy.default)
    body = reference.get_body(("plain",))
    assert body is not None
    assert not any(part.defects for part in reference.walk())


ids = st.from_regex(r"[a-z0-9]{1,20}@picture", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(
    subject=line,
    name=names,
    lines=st.lists(line, max_size=5),
    pictures=st.dictionaries(ids, st.binary(min_size=1, max_size=200), max_size=3),
    files=st.lists(st.tuples(line, st.binary(max_size=200)), max_size=2),
)
def test_whatever_is_formatted_is_read_by_the_standard_library(
    subject: str, name: str, lines: list[str], pictures: dict[str, bytes], files: list[tuple[str, bytes]]
) -> None:
    markup = "".join(f"<p>{html.escape(each)}</p>" for each in lines)
    markup += "".join(f'<img src="cid:{each}">' for each in pictures)
    written, leaving = composed_text(markup), finished(markup)
    inside = [Attachment(0, "p.png", "image/png", each, True, pixels) for each, pixels in pictures.items()]
    outside = [Attachment(9, filename, "application/pdf", None, False, content) for filename, content in files]
    composed = replace(PLAIN, subject=subject, to=(Address(name, "lena@customer.example"),), text=written, html=leaving)
    raw = build_message(replace(composed, attachments=(*inside, *outside)))
    assert all(len(part) <= 998 for part in raw.split(b"\r\n")) and raw.isascii()
    read = email.message_from_bytes(raw, policy=email.policy.default)
    parts = list(read.walk())
    assert not any(part.defects for part in parts)
    assert (read["subject"] or "").split() == subject.split()
    for kind, wanted in (("plain", written), ("html", leaving)):
        body = read.get_body((kind,))
        assert body is not None
        assert body.get_content().replace("\r\n", "\n").rstrip("\n") == wanted.rstrip("\n")
    held = {str(each["content-id"]).strip("<>"): each.get_payload(decode=True) for each in parts if each["content-id"]}
    assert held == pictures
    kept = [each.get_payload(decode=True) for each in parts if each.get_content_type() == "application/pdf"]
    assert kept == [content for _, content in files]
