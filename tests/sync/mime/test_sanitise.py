"""Nothing executable and nothing that fetches survives; what mail legitimately looks like does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.mime.sanitise import content_security_policy, document, sanitise_html
from tests.shared_data import shared_data
from tests.sync.mime.hostile_markup import SETS, contexts, elements, findings, payloads, sanitised

PROXY = "/api/v1/remote?address="


def shown(html: str, **images: str) -> str:
    """Sanitised with remote pictures through a proxy."""
    return sanitise_html(html, inline_images=images, show_remote=True, proxy_url=lambda url: PROXY + url).html


def test_the_checker_itself_finds_what_it_should() -> None:
    for attack in ("<script>", "<p onclick=x>", "<a href=javascript:x>", "<img src=http://x>", "<p style='x:url(y)'>",
                   "<style>@import 'x'</style>", "<!-- x -->", "<form>", "<img src=data:image/svg+xml,x>"):  # fmt: skip
        assert findings(attack), attack


@pytest.mark.parametrize("name", SETS)
def test_every_attack_is_harmless(name: str) -> None:
    count = 0
    for payload in payloads(name):
        for markup in contexts(payload) if len(payload) < 5000 else [payload]:
            count += 1
            clean = sanitised(markup).html
            assert not findings(clean), (markup[:500], clean[:500])
    assert count > 50


@pytest.mark.parametrize("name", ["xss-dompurify", "xss-bleach", "xss-html5lib-sanitizer"])
def test_sanitising_again_brings_forth_nothing_new(name: str) -> None:
    """A parser that reads the result differently the second time is how mutation attacks work."""
    for payload in payloads(name):
        for markup in contexts(payload):
            once = sanitised(markup).html
            assert elements(sanitised(once).html) <= elements(once), markup


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([
    "<div>", "</div>", "<p ", "title=", '"', "'", ">", "<", "<style>", "</style>", "<svg>", "<math>", "<!--", "-->",
    "<script>", "</script>", "onload=x", "url(", ")", "http://x.example/", "href=", "src=", "style=", "javascript:",
    "&lt;", "&#x3c;", "<table>", "<td>", "<select>", "<template>", "<title>", "</title>", "<textarea>", "<a ", "<img ",
    "@import", "\\", "/*", "*/", "{", "}", ";", ":", "<![CDATA[", "]]>", "\0", "<mtext>", "<noscript>", "<xmp>",
]), max_size=30).map("".join))  # fmt: skip
def test_no_mixture_of_pieces_gets_through(markup: str) -> None:
    assert not findings(sanitised(markup).html)


def test_remote_pictures_are_counted_and_removed() -> None:
    result = sanitised(
        '<img src="http://t.example/a.gif" width="1"><img src="//t.example/b.gif"><img srcset="https://t.example/c 2x">'
        '<td background="http://t.example/a.gif">x</td><p style="background:url(http://t.example/d.png)">y</p>'
        "<style>p{background-image:url('http://t.example/e.png')} @media print{i{background:url(http://t.example/f)}}</style>"
    )
    assert result.blocked_remote == 6
    assert "t.example" not in result.html


def test_remote_pictures_are_shown_through_the_proxy_only() -> None:
    html = shown(
        '<img src="http://t.example/a.gif" srcset="http://t.example/b 1x, http://t.example/c 2x">'
        '<table background="//t.example/d"><tr>'
        '<td style="background:url(http://t.example/e) no-repeat">x</td></tr></table>'
        "<style>p{background:url(http://t.example/f)}</style>"
    )
    for letter in "abcdef":
        assert f"address=http://t.example/{letter}" in html.replace("https:", "http:")
    assert html.count("t.example") == html.count(PROXY)
    without_proxy = sanitise_html('<img src="http://t.example/a">', inline_images={}, show_remote=True, proxy_url=None)
    assert (without_proxy.blocked_remote, without_proxy.html) == (1, "<img>")


def test_inline_pictures_are_mapped() -> None:
    images = {"Hub@x.example": "/api/v1/messages/1/attachments/0"}
    result = sanitise_html(
        '<img src="cid:hub@x.example"><img src="CID:hub%40x.example"><td background="cid:hub@x.example">x</td>'
        '<p style="background:url(cid:hub@x.example)">y</p><img src="cid:unknown@x.example">',
        inline_images=images, show_remote=False, proxy_url=None,
    )  # fmt: skip
    assert result.html.count("/api/v1/messages/1/attachments/0") == 3
    assert "cid:" not in result.html
    assert result.blocked_remote == 0


def test_embedded_pictures_stay_when_they_are_pictures() -> None:
    large = "A" * 3_000_000
    result = sanitised(f'<img src="data:image/png;base64,{large}"><img src="data:image/svg+xml;base64,{large[:900]}">')
    assert result.html == f'<img src="data:image/png;base64,{large}"><img>'
    assert not result.cut


def test_links_open_outside_and_tell_nobody() -> None:
    html = sanitised('<a href="https://x.example/?a=1&amp;b=2" target="_top" rel="opener">x</a>').html
    assert 'href="https://x.example/?a=1&amp;b=2"' in html
    assert 'target="_blank"' in html and 'rel="noopener noreferrer nofollow"' in html
    assert "_top" not in html
    assert 'href="tel:+4930123"' in sanitised('<a href="tel:+4930123">x</a>').html
    assert 'href="https://x.example/"' in sanitised('<a href="//x.example/">x</a>').html
    for address in (
        "javascript:x",
        "jav\tascript:x",
        " data:text/html,x",
        "vbscript:x",
        "file:///etc",
        "/inbox",
        "#top",
        "https://|x",
        "https://<form>/",
        "http://[bad/",
    ):
        assert "href" not in sanitised(f'<a href="{address}">x</a>').html


def test_the_look_of_a_newsletter_survives() -> None:
    html = sanitised(
        '<body style="margin:0;background:#eee"><style>@media (max-width: 600px) { .w { width: 100% !important } }'
        " .w > td { color: #333; font: bold 14px/1.4 Arial, 'Helvetica Neue' } a:hover { color: rgb(1, 2, 3) }</style>"
        '<table class="w" width="600" cellpadding="0" bgcolor="#ffffff"><tr><td align="center" '
        'style="padding:0 calc(1px + 2%); mso-line-height-rule:exactly">Hello</td></tr></table></body>'
    ).html
    for kept in ("margin: 0", "background: #eee", "@media (max-width: 600px)", "width: 100% !important", ".w > td",
                 "font: bold 14px/1.4 Arial", "a:hover", "rgb(1, 2, 3)", 'width="600"', 'cellpadding="0"',
                 "calc(1px + 2%)", "mso-line-height-rule: exactly"):  # fmt: skip
        assert kept in html, kept


@pytest.mark.parametrize(
    "css",
    [
        "@import url(http://x.example/a.css); p{color:red}",
        "@font-face{font-family:x;src:url(http://x.example/f)} p{color:red}",
        "p{color:red;position:fixed;behavior:url(x);-moz-binding:url(x);--x:url(http://x.example);src:x}",
        "p{color:red;background:u\\72l(http://x.example);width:expression(alert(1));cursor:url(http://x.example),auto}",
        "p{color:red;background:image-set('http://x.example' 1x);content:attr(x);mask:url(#x)}",
        "p{color:red} q{content:'\\3c/style>\\3cscript>x'} r{background:var(--x)}",
        "p{color:red} @namespace url(http://x.example); @charset 'x'; @page{size:a4}",
    ],
)
def test_of_a_style_sheet_only_the_harmless_part_stays(css: str) -> None:
    html = sanitised(f"<style>{css}</style>").html
    assert "p { color: red" in html
    assert not findings(html)
    for gone in ("x.example", "fixed", "import", "font-face", "var(", "attr(", "cursor"):
        assert gone not in html, gone


def test_dark_mode_is_recognised() -> None:
    assert sanitised("<style>@media (prefers-color-scheme: dark){p{color:#fff}}</style>").declares_dark
    assert sanitised("<style>:root{color-scheme: light dark}</style>").declares_dark
    assert sanitised('<meta name="color-scheme" content="light dark"><p>x</p>').declares_dark
    assert not sanitised("<style>p{color:#000}</style><p>dark</p>").declares_dark


@pytest.mark.parametrize("name", ["html-caniemail", "html-postmark", "html-cerberus", "html-leemunroe", "html-konsav"])
def test_real_templates_leak_nothing_and_keep_their_words(name: str) -> None:
    paths = sorted(shared_data(name).glob("**/*.html"))
    assert paths
    for path in paths:
        result = sanitised(path.read_text("utf-8", "replace"))
        assert not findings(result.html), path
        assert not result.cut


def test_the_document_has_a_strict_policy() -> None:
    page = document("<p>x</p>", dark=False, quoted="<p>old</p>", quoted_label="Quoted <text>")
    assert page.startswith("<!doctype html>")
    head = page.split("</head>")[0]
    for directive in ("default-src 'none'", "img-src 'self' data:", "script-src 'none'", "form-action 'none'",
                      "base-uri 'none'"):  # fmt: skip
        assert directive in head
        assert directive in content_security_policy()
    assert "frame-ancestors 'self'" in content_security_policy()
    assert "allow-scripts" not in content_security_policy()
    assert "<details" in page and "Quoted &lt;text>" in page
    with pytest.raises(ValueError, match="not a source"):
        content_security_policy(["x; script-src *"])


def test_dark_reading_turns_only_mail_without_dark_colours_of_its_own() -> None:
    assert "invert" in document("<p>x</p>", dark=True)
    assert "invert" not in document("<p>x</p>", dark=True, declares_dark=True)
    assert "invert" not in document("<p>x</p>", dark=False)
