"""The text of attachments of strangers: what is read, what is refused, and that nothing brings the worker down."""

import io
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.database.connection import execute, fetch, fetch_value
from backend.mail.file_text import LONGEST, file_text
from backend.search.contracts import FoundPage
from backend.workers.file_reader import FileReader
from backend.workers.files import read_waiting_files
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def pdf(text: str) -> bytes:
    """One page with these words."""
    drawn = zlib.compress(f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode("latin-1"))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >> stream\n%s\nendstream" % (len(drawn), drawn),
    ]
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(made))
        made += b"%d 0 obj %s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 5\n0000000000 65535 f \n%strailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(made),
    )


def office(name: str, xml: str | bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, xml)
    return made.getvalue()


def docx(body: str) -> bytes:
    return office("word/document.xml", f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>')


async def found(person: Member, q: str) -> list[int]:
    return [item.row.id for item in (await person.get("/search", FoundPage, q=q)).items]


@pytest.mark.parametrize(
    ("filename", "content", "words"),
    [
        ("offer.pdf", pdf("Derailleur 42"), ["Derailleur 42"]),
        ("note.docx", docx("<w:p><w:r><w:t>Rear</w:t></w:r></w:p><w:p><w:r><w:t>wheel</w:t></w:r></w:p>"), ["Rear\n"]),
        (
            "table.xlsx",
            office("xl/sharedStrings.xml", "<s><si><t>Hub</t></si><si><t>Bell</t></si></s>"),
            ["Bell"],
        ),
        ("plan.odt", office("content.xml", "<d xmlns:t='u'><t:p>Gr\u00fc\u00dfe</t:p></d>"), ["Gr\u00fc\u00dfe"]),
        ("prices.csv", "Größe;Preis".encode("cp1252"), ["Größe;Preis"]),
        ("page.html", b"<style>x{}</style><p>Hub <b>gear</b></p>", ["Hub gear"]),
        ("inner.eml", write_mail(subject="Forwarded", text="The fork."), ["Forwarded", "The fork."]),
    ],
)
def test_words_are_read_out_of_many_kinds(filename: str, content: bytes, words: list[str]) -> None:
    text, problem = file_text(filename, "application/octet-stream", content)
    assert problem == "" and all(each in text for each in words)


BOMB = office("word/document.xml", b"<w:t>" + b"a" * (60 * 1024 * 1024))
ENTITIES = office("word/document.xml", '<!DOCTYPE d [<!ENTITY a "aaaa">]><d><t>&a;</t></d>')


@pytest.mark.parametrize(
    ("filename", "content", "why"),
    [
        ("bomb.docx", BOMB, "too large when unpacked"),
        ("entities.docx", ENTITIES, "damaged"),
        ("empty.pdf", b"", "damaged"),
        ("cut.pdf", pdf("x")[:200], "damaged"),
        ("no.docx", b"PK\x03\x04 nothing", "damaged"),
        ("huge.txt", b"x" * (26 * 1024 * 1024), "too large"),
    ],
)
def test_what_cannot_be_read_says_why(filename: str, content: bytes, why: str) -> None:
    text, problem = file_text(filename, "application/octet-stream", content)
    assert text == "" and problem.startswith(why)


def test_pictures_hold_no_text_and_long_texts_are_cut() -> None:
    assert file_text("photo.png", "image/png", b"\x89PNG") == ("", "")
    text, _ = file_text("long.txt", "text/plain", b"word " * LONGEST)
    assert len(text) == LONGEST


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["a.pdf", "a.docx", "a.html", "a.eml", "a.csv"]), st.binary(max_size=400), st.integers(0, 400))
def test_no_bytes_raise(filename: str, content: bytes, at: int) -> None:
    whole = pdf("Bell") if filename == "a.pdf" else docx("<w:t>Bell</w:t>")
    for each in (content, whole[:at] + content + whole[at:]):
        text, problem = file_text(filename, "application/octet-stream", each)
        assert "\x00" not in text and isinstance(problem, str)


async def test_names_and_texts_of_attachments_are_found_by_who_sees_the_mail(api: Api) -> None:
    mail = write_mail(text="As promised.", attachment=pdf("Xylophone"), filename="Angebot_Brücke.pdf")
    one = await deliver(api.support, mail)
    assert await found(api.ana, "xylophone") == []
    reader = FileReader()
    try:
        await read_waiting_files(reader)
    finally:
        await reader.close()
    assert await fetch_value("SELECT count(*) FROM files_waiting") == 0
    for q in ("xylophone", "xylo", "promised xylophone", "angebot brucke", "promised -xylophone OR xylophone"):
        assert await found(api.ana, q) == [one], q
    assert await found(api.ana, "promised -xylophone") == []
    [excerpt] = (await api.ana.get("/search", FoundPage, q="xylophone")).excerpts
    assert excerpt.filename == "Angebot_Brücke.pdf" and [p.text for p in excerpt.pieces if p.hit] == ["Xylophone"]
    for person in (api.tom, api.mallory):
        reply = await person.request("GET", "/search", params={"q": "xylophone"})
        assert reply.json()["items"] == [] and "Angebot" not in reply.text
    await api.ana.put(f"/conversations/{one}/assignee", {"user_id": api.ana.user_id})
    await api.ana.put(f"/conversations/{one}/visibility", {"visibility": "confidential"})
    assert await found(api.jonas, "xylophone") == [] and await found(api.ana, "xylophone") == [one]


async def test_a_message_that_brings_the_reader_down_is_found_by_the_names_of_its_files(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await deliver(api.support, write_mail(attachment=pdf("Bell"), filename="deadly.pdf"))
    two = await deliver(api.support, write_mail(attachment=pdf("Fork"), filename="plain.pdf"))
    await execute("UPDATE files_waiting SET tries = 2 WHERE message_id = (SELECT min(message_id) FROM files_waiting)")
    reader = FileReader()
    try:
        await read_waiting_files(reader)
    finally:
        await reader.close()
    assert await found(api.ana, "deadly") == [one] and await found(api.ana, "bell") == []
    assert await found(api.ana, "fork") == [two]
    records = await fetch("SELECT filename, problem FROM attachment_texts ORDER BY message_id")
    assert [tuple(each) for each in records] == [("deadly.pdf", "brought down what read it"), ("plain.pdf", "")]
