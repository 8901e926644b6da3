"""What the editor writes: cleaned, read as text, finished to be sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.mime.composed import TooMuchMarkup, clean_composed, composed_text, finished, pictures_in


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello Lena,</p><p></p><p>it is <b>ready</b>.</p>", "Hello Lena,\n\nit is ready."),
        ("<p>Kind regards<br>Ana</p>", "Kind regards\nAna"),
        ("<p>Bring:</p><ul><li><p>the key</p></li><li><p>the bill</p></li></ul><p>Ana</p>",
         "Bring:\n\n- the key\n- the bill\n\nAna"),
        ('<ol start="3"><li>c<ul><li>deeper</li></ul></li><li>d</li></ol>', "3. c\n   - deeper\n4. d"),
        ("<blockquote><p>You asked</p><blockquote>and I before</blockquote></blockquote><p>Yes</p>",
         "> You asked\n>\n> > and I before\n\nYes"),
        ("<table><tr><td><p>Size</p></td><td><p>46</p></td></tr><tr><td></td><td>red</td></tr></table>",
         "Size | 46\n | red"),
        ('<p><a href="https://northwind.example/a">here</a>, or <a href="https://x.example">https://x.example</a></p>',
         "here <https://northwind.example/a>, or https://x.example"),
        ("<pre><code>a = 1\n\n  b = 2</code></pre>", "a = 1\n\n  b = 2"),
        ("<p>before</p><hr><p>after</p>", "before\n\n--------------------\n\nafter"),
        ('<p>Look: <img src="cid:a@b" alt="the hub"></p>', "Look: [the hub]"),
        ("<p></p>", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_what_html_says(html: str, text: str) -> None:
    assert composed_text(html) == text


def test_only_what_a_mail_may_hold_is_kept() -> None:
    given = (
        '<p onclick="x()" style="margin:0;position:fixed">Hi<script>alert(1)</script></p><style>p{color:red}</style>'
        '<a href="javascript:x()">a</a><img src="cid:one@picture"><img src="file:///etc/passwd">'
        '<iframe src="//x"></iframe>'
    )
    clean = clean_composed(given)
    assert "Hi" in clean and pictures_in(clean) == ["one@picture"]
    for unwanted in ("onclick", "script", "style>", "fixed", "file:", "iframe"):
        assert unwanted not in clean


def test_cleaning_twice_gives_the_same() -> None:
    once = clean_composed(
        '<p style="margin:0">a <a href="https://x.example/?a=1&b=2">b</a><img src="cid:a@b" width=3></p>'
    )
    assert clean_composed(once) == once


def test_more_than_a_mail_can_show_is_refused_and_not_cut() -> None:
    with pytest.raises(TooMuchMarkup):
        clean_composed("<p>" + "<b>" * 3_000_000)


def test_an_empty_line_keeps_its_height_in_the_mail() -> None:
    assert "<p style='x'><br></p>".replace("'", '"') in finished('<p style="x"></p><p>b</p>')


words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(words, min_size=0, max_size=5).map(" ".join), min_size=1, max_size=8))
def test_whatever_lines_are_written_are_read(lines: list[str]) -> None:
    html = "".join(f'<p style="margin:0">{line}</p>' for line in lines)
    assert composed_text(clean_composed(html)) == "\n".join(lines).strip("\n")


def test_a_table_that_only_lays_out_is_read_one_cell_after_another() -> None:
    html = (
        '<table role="presentation"><tr><td><p>Head</p></td></tr><tr><td><p>One</p><p>Two</p>'
        "<table><tr><th>a</th><td>b</td></tr></table></td></tr><tr><td>Left</td><td>Right</td></tr></table>"
    )
    assert composed_text(html) == "Head\n\nOne\nTwo\n\na | b\n\nLeft\nRight"


def test_a_row_with_a_label_reads_as_one() -> None:
    rows = '<tr><th scope="row">Order</th><td>87110</td></tr><tr><td>a</td><td>b</td></tr>'
    assert composed_text(f"<table>{rows}</table>") == "Order: 87110\na | b"


def test_a_style_sheet_says_nothing() -> None:
    assert composed_text("<style>p { color: red }</style><p>Hello</p>") == "Hello"


def test_an_empty_line_below_a_list_is_one() -> None:
    assert composed_text("<ul><li>a</li></ul><p><br></p><p>b</p>") == "- a\n\nb"
