"""200 random compositions, read back equal by two readers that are not ours: the standard library, and mailparse (Rust,
as `fast_mail_parser`, whose tree is read here without any of our code)."""

import email
import email.policy
import html
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader, DateHeader
from email.message import EmailMessage
from email.utils import getaddresses

from fast_mail_parser import PyMimePart, parse_email_tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.mime.build import Composition, build_message
from sync.mime.composed import composed_text, finished
from sync.mime.message import Address, Attachment
from sync.mime.plaintext import unflow

letters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029")
line = st.text(letters, max_size=90)
names = st.text(letters, max_size=60).map(lambda name: " ".join(name.split())).filter(lambda name: "=?" not in name)
subjects = st.text(letters, max_size=400).map(lambda text: " ".join(text.split())).filter(lambda text: "=?" not in text)
numbers = st.integers(0, 10**12)
addresses = st.builds(
    lambda number, plus, host: f"u{number}{plus}@{host}.example",
    numbers,
    st.sampled_from(["", "+tag", ".x_y-z"]),
    numbers,
)
people = st.lists(st.builds(Address, names, addresses), min_size=1, max_size=8, unique_by=lambda one: one.address)
zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
dates = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=zones).map(
    lambda moment: moment.replace(microsecond=0)
)
content_ids = numbers.map(lambda number: f"{number:x}@picture")
filenames = st.text(letters, min_size=1, max_size=80).map(
    lambda name: "a" + re.sub(r"[^\w äöü€日本-]", "", name).strip()
)


@dataclass(frozen=True)
class Written:
    """What somebody wrote: lines, pictures, files, and a mail that is forwarded, which may forward another."""

    lines: list[str]
    pictures: dict[str, bytes]
    files: list[tuple[str, bytes]]
    forwarded: "Written | None" = None

    @property
    def markup(self) -> str:
        own = "".join(f"<p>{html.escape(each)}</p>" for each in self.lines)
        own += "".join(f'<img src="cid:{each}">' for each in self.pictures)
        return own + (f"<blockquote>{self.forwarded.markup}</blockquote>" if self.forwarded else "")

    @property
    def all_pictures(self) -> dict[str, bytes]:
        return (self.forwarded.all_pictures if self.forwarded else {}) | self.pictures

    @property
    def text(self) -> str:
        quoted = [f"> {each}" for each in self.forwarded.text.split("\n")] if self.forwarded else []
        return "\n".join([*self.lines, *quoted])


def written(inner: "st.SearchStrategy[Written | None]") -> "st.SearchStrategy[Written]":
    return st.builds(
        Written,
        st.lists(line, max_size=5),
        st.dictionaries(content_ids, st.binary(min_size=1, max_size=300), max_size=3),
        st.lists(st.tuples(filenames, st.binary(max_size=300)), max_size=3),
        inner,
    )


mails = written(st.none() | written(st.none() | written(st.none())))


@st.composite
def compositions(draw: st.DrawFn) -> tuple[Composition, dict[str, bytes], list[tuple[str, bytes]]]:
    """A mail, its pictures, and its files: those of the writer, and what is forwarded as a file of its own."""
    said = draw(mails)
    formatted = draw(st.booleans())
    composed = Composition(
        message_id=draw(numbers.map(lambda number: f"{number:032x}@northwind.example")),
        from_=draw(st.builds(Address, names, addresses)),
        to=tuple(draw(people)),
        cc=tuple(draw(people)) if draw(st.booleans()) else (),
        reply_to=(draw(st.builds(Address, names, addresses)),) if draw(st.booleans()) else (),
        subject=draw(subjects),
        date=draw(dates),
        text=composed_text(said.markup) if formatted else said.text,
        html=finished(said.markup) if formatted else None,
        flowed=not formatted,
        references=tuple(draw(st.lists(numbers.map(lambda number: f"{number:040x}@thread.example"), max_size=20))),
    )
    pictures = said.all_pictures if formatted else {}
    files = list(said.files)
    if said.forwarded is not None and draw(st.booleans()):
        inner = replace(composed, text=said.forwarded.text, html=None, flowed=True, message_id="inner@forward.example")
        files.append(("forwarded.eml", build_message(inner)))
    attachments = [Attachment(0, "p.png", "image/png", each, True, pixels) for each, pixels in pictures.items()]
    attachments += [Attachment(0, name, "application/pdf", None, False, content) for name, content in files]
    return replace(composed, attachments=tuple(attachments)), pictures, files


every = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@every
@given(compositions())
def test_the_standard_library_and_another_parser_read_what_was_composed(
    composed: tuple[Composition, dict[str, bytes], list[tuple[str, bytes]]],
) -> None:
    wanted, pictures, files = composed
    raw = build_message(wanted)
    check_lines(raw)
    read_by_standard_library(raw, wanted, pictures, files)
    read_by_mailparse(raw, wanted, pictures, files)


def check_lines(raw: bytes) -> None:
    """Nothing but CRLF, ASCII, at most 998 octets a line, and headers folded where they can be."""
    assert raw.isascii() and b"\r" not in raw.replace(b"\r\n", b"") and b"\n" not in raw.replace(b"\r\n", b"")
    assert all(len(each) <= 998 for each in raw.split(b"\r\n"))
    for each in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        assert len(each) <= 78 or b" " not in each.strip(), each


def read_by_standard_library(
    raw: bytes, wanted: Composition, pictures: dict[str, bytes], files: list[tuple[str, bytes]]
) -> None:
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    parts = [part for part in read.walk() if isinstance(part, EmailMessage)]
    assert not any(part.defects for part in parts)
    assert " ".join((read["subject"] or "").split()) == wanted.subject
    lists = {"from": [wanted.from_], "to": wanted.to, "cc": wanted.cc, "reply-to": wanted.reply_to}
    for field, persons in lists.items():
        header = read[field]
        assert isinstance(header, AddressHeader) or not persons
        assert [each.addr_spec for each in (header.addresses if header else ())] == [each.address for each in persons]
        assert [name for name, _ in named_in(raw, field)] == [each.name for each in persons], field
    assert isinstance(read["date"], DateHeader)
    assert (read["date"].datetime, read["date"].datetime.utcoffset()) == (wanted.date, wanted.date.utcoffset())
    assert read["message-id"].strip() == f"<{wanted.message_id}>"
    named = re.findall(r"<([^>]*)>", read["references"] or "")
    assert named == list(dict.fromkeys(wanted.references))
    for kind, text in (("plain", wanted.text), ("html", wanted.html)):
        body = read.get_body((kind,))
        assert (body is None) == (text is None)
        if body is not None and text is not None:
            flowed = body.get_param("format") == "flowed"
            assert flowed == (kind == "plain" and wanted.flowed)
            check_text(body.get_content(), text, flowed=flowed)
    held = {str(each["content-id"]).strip("<> "): each.get_payload(decode=True) for each in parts if each["content-id"]}
    assert held == pictures
    kept = [
        (each.get_filename(), each.get_payload(decode=True))
        for each in parts
        if is_file(each.get_content_disposition())
    ]
    assert kept == files


def is_file(disposition: str | None) -> bool:
    return disposition == "attachment"


def named_in(raw: bytes, field: str) -> list[tuple[str, str]]:
    """Names and addresses, by the library's older functions: its newer ones, in Python 3.11, put a blank between two
    encoded words of a name, against RFC 2047 section 6.2."""
    values = [str(each) for each in email.message_from_bytes(raw).get_all(field, [])]
    return [(str(make_header(decode_header(name))), address) for name, address in getaddresses(values)]


def read_by_mailparse(
    raw: bytes, wanted: Composition, pictures: dict[str, bytes], files: list[tuple[str, bytes]]
) -> None:
    root = parse_email_tree(raw)
    leaves = list(leaves_of(root))
    head = {name.lower(): values[0] for name, values in root.headers.items()}
    assert " ".join(head["subject"].split()) == wanted.subject
    assert head["message-id"] == f"<{wanted.message_id}>"
    assert datetime.strptime(head["date"], "%a, %d %b %Y %H:%M:%S %z").astimezone(UTC) == wanted.date.astimezone(UTC)
    for field, persons in (("from", [wanted.from_]), ("to", wanted.to), ("cc", wanted.cc)):
        for person in persons:
            assert person.address in head[field], field
    texts = {part.content_type: part for part in reversed(leaves) if part.content_type.startswith("text/")}
    for kind, text in (("text/plain", wanted.text), ("text/html", wanted.html)):
        assert (kind in texts) == (text is not None)
        if text is not None:
            content = (texts[kind].content or b"").decode()
            check_text(content, text, flowed=kind == "text/plain" and wanted.flowed)
    assert {(part.content_id or "").strip("<>"): part.content for part in leaves if part.content_id} == pictures
    assert [part.content for part in leaves if part.content_type == "application/pdf"] == [each for _, each in files]


def leaves_of(part: PyMimePart) -> "list[PyMimePart]":
    return [leaf for child in part.children for leaf in leaves_of(child)] if part.children else [part]


def check_text(found: str, wanted: str, *, flowed: bool) -> None:
    found = found.replace("\r\n", "\n")
    if flowed:
        found = unflow(found, delete_space=False)
    assert [each.rstrip() for each in found.rstrip("\n").split("\n")] == [
        each.rstrip() for each in wanted.rstrip("\n").split("\n")
    ]
