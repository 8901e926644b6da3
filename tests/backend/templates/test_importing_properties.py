"""Whatever is sent up, an import makes a template that can be saved, or says in words why not."""

import asyncio
import io
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import TandemError
from backend.templates.importing.addresses import Addresses, set_aside
from backend.templates.importing.bundle import opened
from backend.templates.importing.fields import Fields
from backend.templates.importing.found import FoundPicture
from backend.templates.importing.inlining import inlined
from backend.templates.importing.page import read_page
from backend.templates.importing.trimmed import without_closing
from backend.templates.language import TemplateError, check
from backend.templates.markup import clean_markup
from tests.backend.templates.test_importing import packed

MISSING = FoundPicture(filename="x", problem="it is not there")
PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<table>", "<td style='color:red;background:url(a.png)'>", "</table>", "<img src=a.png>"),
        *("<style>p{color:red}", "</style>", "<script>", "</script>", "<!--", "-->", "<![CDATA[", "<title>", "<xmp>"),
        *("<a href='{{ x }}'>", "&amp", "&#x;", "\x00", "é", "{{ contact.name }}", "{{", "}}", "{%", "%}", "{#"),
        *("{% if x %}", "{% endif %}", "{{{b}}}", "{{#each}}", "<div class=designed>", "<svg><style>", "*|A|*"),
        *("data:image/png;base64," + "A" * 60, "<body bgcolor=red>", "<plaintext>", "<noscript>", "word", "\ud800"),
        *("<", ">", '"', "'", "<textarea>", "%%a%%", "${b}"),
    ]
)
PAGES = st.lists(PIECES, max_size=25).map("".join)


@given(PAGES)
def test_any_page_becomes_a_template_that_can_be_saved_or_is_refused(html: str) -> None:
    page, aside = set_aside(html.replace("\ud800", ""))
    read = read_page(page, Addresses(lambda _: MISSING, aside))
    try:
        clean = Fields().put_in_order(read.html, clean_markup)
    except TemplateError:
        return
    check(clean)
    assert "<script" not in clean and "<style" not in clean and "data:" not in clean
    clean_markup(clean)  # as it is when it is saved


@given(PAGES)
def test_no_text_is_a_template_by_accident(text: str) -> None:
    fields = Fields()
    try:
        check(fields.put_in_order(text, _checked))
    except TemplateError as fault:
        assert fault.message and fault.remedy


@given(st.binary(max_size=200) | PAGES.map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_a_page_or_are_refused(content: bytes) -> None:
    for upload in (content, b"PK\x03\x04" + content, _spoiled(content)):
        try:
            bundle = opened("page", upload)
        except TandemError as refusal:
            assert refusal.message and refusal.remedy
            continue
        bundle.html.encode()


@given(st.text(alphabet="./\\%2eE:ab?#~", max_size=30))
def test_no_address_leads_out_of_the_zip(address: str) -> None:
    files = {"in/index.html": "<p>", "in/a": "inner", "b": "beside"}
    bundle = opened("x.zip", packed(files))
    try:
        found = bundle.file(address, 100)
    except TandemError:
        return
    assert found in (None, b"inner", b"beside", b"<p>")


@given(PAGES)
def test_what_is_cut_off_below_leaves_markup_as_it_was(html: str) -> None:
    clean = clean_markup_or_nothing(html)
    cut = without_closing(clean)
    assert without_closing(cut) == cut or "class=" in html
    assert "<script" not in cut


@settings(max_examples=8)
@given(PAGES)
def test_the_process_that_writes_styles_answers_whatever_it_gets(html: str) -> None:
    try:
        written = asyncio.run(inlined(html, "p { color: red }"))
    except TandemError as refusal:
        assert refusal.message and refusal.remedy
        return
    assert "</html>" in written


def _checked(text: str) -> str:
    check(text)
    return text


def _spoiled(content: bytes) -> bytes:
    """A zip with these bytes in its middle."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", b"<p>" + content)
    whole = made.getvalue()
    return whole[:40] + content + whole[40 + len(content) :]


def clean_markup_or_nothing(html: str) -> str:
    try:
        return clean_markup(html)
    except TemplateError:
        return ""
