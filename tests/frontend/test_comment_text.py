"""What a comment says, as HTML: the small Markdown, and nothing that could do harm."""

from __future__ import annotations

import time

import pytest

from frontend.inbox.comment_text import Link, comment_html

NAMES = ["Ana Ribeiro", "Ana"]
LINKS = [Link(12, 14, 3, "Brake <b>recall", "Done"), Link(13)]


def shown(text: str) -> str:
    return comment_html(text, NAMES, LINKS)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and _it_", "<p><strong>bold</strong> and <em>it</em></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("`a < b`", "<p><code>a &lt; b</code></p>"),
        ("> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("3. one", '<ol start="3">\n<li>one</li>\n</ol>'),
        ("# no heading", "<p># no heading</p>"),
        ("@Ana Ribeiro knows, @Anabel not", '<p><span class="at">@Ana Ribeiro</span> knows, @Anabel not</p>'),
        ("order #8812, `#12`", "<p>order #8812, <code>#12</code></p>"),
    ],
)
def test_the_small_markdown(text: str, html: str) -> None:
    assert shown(text).strip() == html


def test_addresses_can_be_clicked_wherever_they_stand() -> None:
    html = shown("See https://x.example/a_b_c?x=1. Or [there](https://y.example), or write to a.b@z.example.")
    for address in ('"https://x.example/a_b_c?x=1"', '"https://y.example"', '"mailto:a.b@z.example"'):
        assert f'href={address} target="_blank" title={address} rel="noopener noreferrer"' in html
    assert "</a>. Or" in html and "</a>.</p>" in html


def test_a_conversation_is_named_to_whoever_sees_it_and_to_nobody_else() -> None:
    html = shown("As in #12 and #13")
    assert (
        '<a class="to-conversation" href="/?mailbox=3&amp;conversation=14" data-conversation="14" '
        'rel="noopener noreferrer">Brake &lt;b&gt;recall · Done</a>' in html
    )
    assert '<span class="to-conversation lost">a conversation you cannot see</span>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html,<script>1</script>)",
        '[x](https://e.example "><img src=x onerror=1>)',
        '[x](https://e.example "\\" onmouseover=\\"alert(1)")',
        "[x](/settings/)",
        "![x](https://e.example/tracker.png)",
        'https://e.example/"onmouseover="alert(1)',
        "```html\n<script>alert(1)</script>\n```",
    ],
)
def test_nothing_in_it_runs_or_loads(text: str) -> None:
    html = shown(text)
    tags = html.replace("&lt;", "").split("<")
    assert not [tag for tag in tags if tag.startswith(("script", "img"))]
    assert "javascript:" not in html.lower().partition("href")[2].partition(">")[0]
    assert ' onmouseover="' not in html and ' onerror="' not in html
    assert 'href="/settings' not in html and 'href="data:' not in html


@pytest.mark.parametrize("piece", ["[", "**a ", "[a](", "@", "a@", ">", "`", "- ", "_a", "https://", "#12"])
def test_a_long_one_of_an_odd_kind_takes_no_long_time(piece: str) -> None:
    began = time.process_time()
    shown((piece * 20_000)[:20_000])
    assert time.process_time() - began < 1.5
