"""HTML from elsewhere becomes a template: what comes along, what is told, and what is refused."""

import base64
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from backend.templates.contracts import ImportedTemplate, ImportFinding, SaveTemplate, Template
from tests.servers.api import Api, Member, Refusal

PNG = b"\x89PNG\r\n\x1a\n picture"
OTHER_PNG = b"\x89PNG\r\n\x1a\n another"
LINKS = "<link rel=stylesheet href=0.css><link rel=stylesheet href=1.css>"
SHOWN = "".join(f"<img src={number}.png>" for number in range(61))
TABLE = "<table><tr><td>Hello</td></tr></table>"


def packed(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def up(content: bytes | str, name: str = "page.html") -> dict[str, tuple[str, bytes, str]]:
    return {"file": (name, content.encode() if isinstance(content, str) else content, "application/octet-stream")}


async def imported(who: Member, content: bytes | str, name: str = "page.html") -> ImportedTemplate:
    answer = await who.request("POST", "/template-imports", files=up(content, name))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=ImportedTemplate)


async def refused(who: Member, content: bytes | str, name: str = "page.html") -> Refusal:
    return await who.refused("POST", "/template-imports", files=up(content, name))


def told(made: ImportedTemplate, words: str) -> ImportFinding:
    """The finding that says this."""
    return next(each for each in made.findings if words in each.text)


async def test_style_sheets_are_written_into_the_elements_and_the_title_is_the_subject(api: Api) -> None:
    page = (
        "<title>Spring &amp; you</title><style>.big { font-size: 22px } td { padding: 8px }</style>"
        '<table><tr><td class="big">Hello {{ contact.first_name }}</td></tr></table>'
    )
    made = await imported(api.ana, page, "spring_news.html")
    assert (made.name, made.subject, made.text) == ("spring news", "Spring & you", "Hello {{ contact.first_name }}")
    assert made.html is not None and made.html.startswith('<div class="designed">')
    assert 'style="padding: 8px; font-size: 22px"' in made.html and "<style" not in made.html


async def test_a_table_without_heads_and_lines_only_lays_out_and_is_read_cell_after_cell(api: Api) -> None:
    page = "<table><tr><td>News<td><table><tr><th>Size<th>Price<tr><td>M<td>9</table><table border=1><tr><td>a<td>b"
    made = await imported(api.ana, page)
    assert made.html is not None and made.html.count('role="presentation"') == 1
    assert made.text.split("\n") == ["News", "", "Size | Price", "M | 9", "", "a | b"]


async def test_nothing_is_saved_until_somebody_does_and_what_is_saved_is_what_was_shown(api: Api) -> None:
    made = await imported(api.ana, f"<body bgcolor=#eee>{TABLE}</body>")
    assert await api.ana.get("/templates", list[Template]) == []
    saved = await api.ana.post("/templates", SaveTemplate(name="News", text="", html=made.html), Template)
    assert saved.html is not None and saved.html == made.html and "background-color: #eee" in saved.html


async def test_the_pictures_of_a_zip_become_the_templates(api: Api) -> None:
    page = f'<img src="img/logo.png" alt="Logo">{TABLE}<img src="./img/LOGO.png?v=2"><img src="/mail/img/b%20c.png">'
    files = {"mail/index.html": page, "mail/img/logo.png": PNG, "mail/img/b c.png": OTHER_PNG, "mail/unused.png": b"x"}
    made = await imported(api.ana, packed(files), "news.zip")
    assert made.html is not None
    shown = [part.split('"')[0] for part in made.html.split('src="cid:')[1:]]
    assert len(shown) == 3 and shown[0] == shown[1] != shown[2]
    assert (await api.ana.request("GET", f"/template-pictures/{shown[0]}")).content == PNG
    assert (await api.jonas.refused("GET", f"/template-pictures/{shown[0]}")).status == 404
    assert "2 pictures" in told(made, "Every mail carries").text
    again = await imported(api.ana, packed(files), "news.zip")
    assert again.html == made.html  # the same pictures are not kept twice


async def test_pictures_in_the_page_itself_are_kept_as_files(api: Api) -> None:
    made = await imported(api.ana, f'{TABLE}<img src="data:image/png;base64,{base64.b64encode(PNG * 9).decode()}">')
    assert made.html is not None and "data:" not in made.html
    shown = made.html.split('src="cid:')[1].split('"')[0]
    assert (await api.ana.request("GET", f"/template-pictures/{shown}")).content == PNG * 9


async def test_style_sheets_of_a_zip_are_used_and_those_of_the_web_named(api: Api) -> None:
    page = '<link rel="stylesheet" href="css/a.css"><link rel=stylesheet href="https://cdn.example/b.css"><h1>Hi</h1>'
    made = await imported(api.ana, packed({"index.html": page, "css/a.css": "h1 { color: #123456 }"}), "n.zip")
    assert made.html == '<h1 style="color: #123456">Hi</h1>'
    assert told(made, "not fetched").items == ["https://cdn.example/b.css"]


async def test_missing_and_unfit_pictures_are_named_and_their_words_kept(api: Api) -> None:
    page = '<p>Our <img src="a.png" alt="logo"><img src="b.svg"><img src="c.png"><img src="file:///C:/d.png"></p>'
    made = await imported(
        api.ana, packed({"index.html": page, "b.svg": "<svg>", "c.png": PNG + b"x" * 2_100_000}), "n.zip"
    )
    assert made.html == "<p>Our logo</p>"
    assert told(made, "4 pictures are missing").items == [
        "a.png: it is not in the zip",
        "b.svg: it is no PNG, JPEG, GIF or WebP",
        "c.png: it is larger than 2 MB, and every mail would carry it",
        "d.png: it lies on somebody’s computer",
    ]
    alone = await imported(api.ana, '<p>Our <img src="a.png" alt="logo"></p>')
    assert told(alone, "1 picture is missing").items == ["a.png: send the page up in a zip with its pictures"]


async def test_pictures_on_the_web_stay_and_are_told_but_not_those_that_only_tell_who_reads(api: Api) -> None:
    page = '<p>x<img src="https://pics.example/a.png"><img src="//pics.example/b.png"><img width=1 height=1 src="https://t.example/o"></p>'
    made = await imported(api.ana, page)
    assert told(made, "2 pictures stay on the web").items == ["pics.example"]
    assert "1 picture that nobody sees is left out" in told(made, "nobody sees").text
    assert made.html is not None and "t.example" not in made.html and 'src="https://pics.example/b.png"' in made.html


async def test_what_no_mail_can_hold_is_left_out_and_counted(api: Api) -> None:
    page = (
        '<p onclick="x()">Hello <a href="javascript:x()">there</a> <a href="#top">up</a></p><script>x()</script>'
        "<form><input></form><iframe src=x></iframe><!--[if mso]>y<![endif]-->"
        '<table background="bg.png"><tr><td>z</td></tr></table><style>@media print { p { color: red } }</style>'
    )
    made = await imported(api.ana, page)
    assert told(made, "a mail cannot hold it").items == [
        "1 action on a click or the like",
        "1 script",
        "1 form",
        "1 form field",
        "1 embedded page",
    ]
    assert told(made, "lead nowhere").items == ["javascript:x()", "#top"]
    assert told(made, "Pictures behind the text").items == ["bg.png"]
    assert told(made, "only Outlook reads") and told(made, "for phones")
    assert made.html is not None
    assert all(word not in made.html for word in ("onclick", "script", "iframe", "form", "mso", "bg.png"))


async def test_fields_of_other_programs_become_ours_or_stand_in_brackets(api: Api) -> None:
    page = (
        "<p>Dear *|FNAME|* {{ customer.last_name }}, {{ contact.<b>company</b> }} {{product.name}} %%unsubscribe%% "
        "{{#if vip}}thanks{{/if}} {% if foo %}bar{% endif %} {{ loose</p>"
    )
    made = await imported(api.ana, page)
    assert made.text == (
        "Dear {{ contact.first_name }} {{ contact.last_name }}, {{ contact.company }} [product name] [unsubscribe] "
        "thanks bar { { loose"
    )
    assert told(made, "are now ours").items == [
        "*|FNAME|* is now contact.first_name",
        "{{ customer.last_name }} is now contact.last_name",
    ]
    assert told(made, "in brackets").items == ["{{product.name}}", "%%unsubscribe%%"]
    assert told(made, "Conditions and loops") and told(made, "Braces")
    await api.ana.post("/templates", SaveTemplate(name="News", text="", html=made.html), Template)


async def test_our_own_fields_conditions_and_loops_stay(api: Api) -> None:
    page = (
        '<p>Hello {{ contact.first_name | default("there") }}</p>{% if contact.phone %}<p>{{ contact.phone }}</p>'
        "{% endif %}<p>{% for person in recipients %}{{ person.name }} {% endfor %}</p>"
    )
    made = await imported(api.ana, page)
    assert made.html == page
    assert [each.kind for each in made.findings] == ["size"]


async def test_sizes_are_told(api: Api) -> None:
    small = await imported(api.ana, TABLE)
    assert small.findings[-1].text == "The text has 1 KB."
    large = await imported(api.ana, "<p>" + "word " * 25_000 + "</p>")
    assert told(large, "102 KB").kind == "too_large"


async def test_pages_in_other_character_sets_are_read(api: Api) -> None:
    assert (await imported(api.ana, '<meta charset="iso-8859-1"><p>Olá</p>'.encode("latin-1"))).text == "Olá"
    assert (await imported(api.ana, b"\xff\xfe" + "<p>Olá</p>".encode("utf-16-le"))).text == "Olá"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "There is nothing in it."),
        (b"only words", "This is not HTML."),
        (b"MZ\x00\x01<a>", "This is not an HTML file."),
        (b"<p>" + b"many words " * 30_000, "This text is too long for a template."),
        (b"<script>x()</script>", "There is nothing in it that a mail could say."),
        (b"PK\x03\x04 no zip at all", "This zip file cannot be read."),
        (packed({"readme.txt": "x"}), "There is no HTML file in this zip."),
        (packed({"../index.html": TABLE, "__MACOSX/index.html": TABLE}), "There is no HTML file in this zip."),
        (packed({"index.html": TABLE}, zipfile.ZIP_LZMA), "This zip file is packed in an unusual way."),
    ],
    ids=["empty", "words", "program", "long", "script", "broken zip", "no page", "outside", "lzma"],
)
async def test_what_is_no_template_is_refused_in_words(api: Api, content: bytes, message: str) -> None:
    refusal = await refused(api.ana, content)
    assert (refusal.status, refusal.message) == (422, message)
    assert refusal.remedy


@pytest.mark.parametrize(
    "content",
    [
        b"<p>" + b"word " * 2_000_000 + b"word" * 200_000,
        packed({"index.html": b"<p>" + b"a" * 50_000_000}),
        packed({f"{number}.html": "x" for number in range(1_001)}),
        b"<div>" * 100_000 + b"x",
        packed({"index.html": LINKS, **{f"{number}.css": b" " * 150_000 for number in range(2)}}),
        packed({"index.html": SHOWN, **{f"{number}.png": PNG + b"%d" % number for number in range(61)}}),
    ],
    ids=["upload", "bomb", "entries", "nesting", "style sheets", "pictures"],
)
async def test_what_is_too_much_is_refused_in_words(api: Api, content: bytes) -> None:
    refusal = await refused(api.ana, content)
    assert (refusal.status, bool(refusal.message), bool(refusal.remedy)) == (413, True, True)


async def test_style_sheets_that_take_minutes_are_stopped(api: Api) -> None:
    rules = "".join(f"div p.c{n} ~ p a, p:nth-child({n}) {{ color: #{n:06x} }}" for n in range(2_000))
    words = "".join(f"<p class=c{n}><a>x</a></p>" for n in range(5_000))
    page = f"<style>{rules}</style><div>{words}</div>"
    assert (await refused(api.ana, page)).message == "The style sheets of this page are too much work."


async def test_a_zip_with_a_password_is_refused(api: Api) -> None:
    locked = bytearray(packed({"index.html": TABLE}))
    locked[6] |= 1  # the flag of the entry, and of its line in the directory
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert (await refused(api.ana, bytes(locked))).message == "This zip file has a password."


@dataclass
class Asked:
    """A web server that notes what it is asked for."""

    url: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Asked]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            noted.asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"h1 { color: blue }")

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    noted = Asked(f"http://127.0.0.1:{web.server_port}")
    Thread(target=web.serve_forever, daemon=True).start()
    yield noted
    web.shutdown()
    web.server_close()


async def test_nothing_outside_what_was_sent_up_is_read(api: Api, tmp_path: Path, server: Asked) -> None:
    """Neither a file of the server's nor an address: nobody asks the web server that the page names."""
    (tmp_path / "secret.css").write_text("h1 { color: #abcdef }")
    (tmp_path / "secret.png").write_bytes(PNG)
    page = (
        f'<link rel="stylesheet" href="{tmp_path}/secret.css"><link rel="stylesheet" href="file://{tmp_path}/secret.css">'
        f'<link rel="stylesheet" href="{server.url}/a.css"><style>@import url("{server.url}/b.css"); '
        f'@import "{tmp_path}/secret.css";</style><base href="{server.url}"><h1 style="color: red">Hi</h1>'
        f'<img src="{tmp_path}/secret.png"><img src="../../../../../../..{tmp_path}/secret.png">'
    )
    for content, name in ((page.encode(), "a.html"), (packed({"mail/index.html": page}), "a.zip")):
        made = await imported(api.ana, content, name)
        assert made.html == '<h1 style="color: red">Hi</h1>'
    assert server.asked == []


async def test_an_import_without_a_file_is_refused(api: Api) -> None:
    assert (await api.ana.refused("POST", "/template-imports", files={"page": ("a.html", b"x")})).status == 400
