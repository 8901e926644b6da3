"""The demo's files are what their names say."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

from backend.demo.attachments import Occasion, make_file, pdf
from backend.demo.corpus import Attachment, AttachmentKind, Correspondent

OCCASION = Occasion("Bell, (broken) & more", Correspondent(name="Ana Sá", address="a@b.example"), datetime.now(UTC))


def made(name: str, kind: AttachmentKind) -> bytes:
    return make_file(Attachment(name, kind), OCCASION).content


def test_a_photo_is_shown_by_a_browser(tmp_path: Path) -> None:
    content = made("bell.jpg", "photo")
    assert content[:3] == b"\xff\xd8\xff" and content[-2:] == b"\xff\xd9"
    assert content != made("bell-2.jpg", "photo")
    assert 5_000 < len(content) < 60_000
    assert _shown_size(content, tmp_path) == (480, 360)


def _shown_size(content: bytes, folder: Path) -> tuple[int, int]:
    """Width and height as Chromium decodes them."""
    from playwright.sync_api import sync_playwright

    (folder / "picture.jpg").write_bytes(content)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        page = browser.new_page()
        page.goto((folder / "picture.jpg").as_uri())
        size = page.evaluate(
            "async () => { const i = document.images[0]; await i.decode(); return [i.naturalWidth, i.naturalHeight] }"
        )
        browser.close()
    return tuple(size)


def test_a_pdf_has_a_true_table_of_its_objects() -> None:
    content = pdf(["Rechnung (12)", "Größe \\ 5 €", "日本"])
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert content[start:].startswith(b"xref\n0 7\n")
    offsets = [int(entry) for entry in re.findall(rb"(\d{10}) 00000 n ", content)]
    assert [content[offset:].split()[0] for offset in offsets] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    length = int(re.findall(rb"/Length (\d+)", content)[0])
    assert len(content.split(b"stream\n", 1)[1].split(b"\nendstream")[0]) == length


def test_the_others_are_well_formed() -> None:
    rows = list(csv.reader(io.StringIO(made("t.csv", "csv").decode())))
    assert len(rows) > 5 and {len(row) for row in rows} == {4}
    event = made("e.ics", "ics").decode().split("\r\n")
    assert event[0] == "BEGIN:VCALENDAR" and event[-2] == "END:VCALENDAR"
    assert "SUMMARY:Bell\\, (broken) & more" in event
    assert "N:Sá;Ana;;;" in made("c.vcf", "vcf").decode()
    assert made("n.txt", "txt") == made("n.txt", "txt")
