"""The templates that are brought along: each can be chosen, filled in, sent, and read everywhere."""

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from backend.templates.filling import example_values
from backend.templates.language import Values, fields_in, render
from backend.templates.library import Gap, ShippedTemplate, shipped_template, shipped_templates, with_examples
from backend.templates.library.source import SourceError, read_source
from sync.mime.composed import clean_composed, composed_text
from sync.mime.sanitise import sanitise_html
from tests.backend.demo.sentences import long_sentences
from tests.backend.templates.painted import contrast, painted, rgb, turned_over

every_template = pytest.mark.parametrize("template", shipped_templates(), ids=lambda each: each.key)

STRANGER = Values(
    {
        "me": {"name": "Ana Ribeiro", "first_name": "Ana", "email": "ana@northwind.example"},
        "mailbox": {"name": "Support", "address": "support@northwind.example"},
        "organisation": {"name": "Northwind Bikes"},
        "today": {"date": "30 November 2026", "weekday": "Monday", "year": "2026"},
    }
)
"""To somebody of whom nothing is known, in a conversation without a subject."""


@every_template
def test_it_says_what_it_is_and_when_to_use_it(template: ShippedTemplate) -> None:
    assert 5 <= len(template.name) <= 50
    assert template.folder.split("/")[0].lower() == template.key.split("/")[0]
    assert 20 <= len(template.about) <= 160
    assert template.about.endswith(".")
    assert 5 <= len(template.subject) <= 110


def test_no_two_have_the_same_name_or_subject() -> None:
    for names in ([each.name for each in shipped_templates()], [each.subject for each in shipped_templates()]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


@every_template
def test_with_a_known_contact_nothing_is_missing(template: ShippedTemplate) -> None:
    for source in (template.subject, template.text, template.html):
        assert render(source, example_values(), html=source is template.html).missing == ()


@every_template
def test_to_a_stranger_it_reads_as_well(template: ShippedTemplate) -> None:
    for source in (template.subject, template.text):
        said = render(with_examples(source, template.gaps), STRANGER)
        assert said.missing == ()
        assert (
            re.search(
                r" [,.?:]|\(\s*\)|[^\S\n]{2,}|: *$|“”", said.text, re.MULTILINE if source is template.subject else 0
            )
            is None
        )


@every_template
def test_what_only_the_writer_knows_stands_in_brackets_with_an_example(template: ShippedTemplate) -> None:
    for source in (template.text, template.html):
        filled = with_examples(source, template.gaps)
        assert [gap.name for gap in template.gaps if f"[{gap.name}]" in filled] == []
    assert all(f"[{gap.name}]" in template.subject + template.text for gap in template.gaps)


@every_template
def test_text_and_html_say_the_same(template: ShippedTemplate) -> None:
    seen = _Seen()
    seen.feed(template.html)
    text = re.sub(r"^(?:\d+\.|[->]) |<https://[^<>]*>", "", template.text, flags=re.MULTILINE)
    assert re.findall(r"\w+", text) == re.findall(r"\w+", " ".join(seen.words))


@every_template
def test_no_table_that_only_lays_out_is_left_in_the_text(template: ShippedTemplate) -> None:
    assert max(map(len, template.text.split("\n"))) <= 420
    assert "\n\n\n" not in template.text


@every_template
def test_our_own_cleaning_takes_nothing_away(template: ShippedTemplate) -> None:
    html = render(template.html, example_values(), html=True).text
    clean = sanitise_html(html, inline_images={}, show_remote=False, proxy_url=None)
    assert (clean.blocked_remote, clean.cut, clean.declares_dark) == (0, False, True)
    assert _elements(clean.html) == _elements(html)
    assert re.sub(r"\s+", "", _sheet(clean.html)) == re.sub(r"\s+", "", _sheet(html))


@every_template
def test_what_is_composed_from_it_keeps_its_look_and_words(template: ShippedTemplate) -> None:
    html = render(template.html, example_values(), html=True).text
    sent = clean_composed(html)
    assert _elements(sent) == _elements(html)
    assert clean_composed(sent) == sent
    assert composed_text(sent) == render(template.text, example_values()).text


@every_template
def test_cleaned_before_it_is_filled_in_it_is_the_same_template(template: ShippedTemplate) -> None:
    clean = sanitise_html(template.html, inline_images={}, show_remote=False, proxy_url=None).html
    assert fields_in(clean) == fields_in(template.html)
    assert render(clean, STRANGER, html=True).missing == ()


@every_template
def test_it_asks_for_nothing_from_elsewhere(template: ShippedTemplate) -> None:
    assert re.search(r"<img|\ssrc=|url\(|@import|@font-face|background=", template.html) is None
    for address in re.findall(r'href="([^"]*)"', template.html):
        assert re.match(r"https://[a-z0-9-]+\.example/", address)


@every_template
@pytest.mark.parametrize("way", ["light", "dark", "turned over"])
def test_every_word_can_be_read(template: ShippedTemplate, way: str) -> None:
    turn = turned_over if way == "turned over" else rgb
    for each in painted(template.html, dark=way == "dark"):
        assert contrast(turn(each.ink), turn(each.ground)) >= 4.5, each


def test_no_sentence_stands_in_more_than_two() -> None:
    said = Counter(
        sentence for each in shipped_templates() for sentence in set(long_sentences(f"{each.text}\n\n{each.about}"))
    )
    assert [sentence for sentence, count in said.items() if count > 2] == []


@every_template
def test_its_words_are_plain(template: ShippedTemplate) -> None:
    words = f"{template.name} {template.about} {template.subject} {template.text}"
    assert "!" not in words
    assert re.search(r"inconvenience|valued customer|do not hesitate|reach out|touch base|circle back", words) is None


def test_support_and_sales_have_their_own() -> None:
    assert {each.folder.split("/")[0] for each in shipped_templates()} == {"Support", "Sales"}
    first = shipped_templates()[0]
    assert shipped_template(first.key) is first
    assert shipped_template("support/none") is None


def test_a_gap_is_filled_with_its_example() -> None:
    gaps = (Gap("order number", "87110"),)
    assert with_examples("Order [order number], [amount]", gaps) == "Order 87110, [amount]"


@pytest.mark.parametrize(
    ("head", "body", "fault"),
    [
        ("name: A\nfolder: B\nsubject: C\nabout: D", "Hello [name]", "gaps in the head and in the mail differ"),
        ("name: A\nfolder: B\nsubject: C", "Hello", "the head lacks about"),
        ("name: A\nfolder: B\nsubject: C\nabout: D\nlook: loud", "Hello", "no such look"),
        ("name: A\ncolour: red", "Hello", "'colour: red' does not belong"),
    ],
)
def test_a_file_that_is_no_template_says_why(tmp_path: Path, head: str, body: str, fault: str) -> None:
    path = tmp_path / "support" / "a.txt"
    path.parent.mkdir()
    path.write_text(f"{head}\n---\n{body}", "utf-8")
    with pytest.raises(SourceError, match=fault):
        read_source(path, tmp_path)


class _Seen(HTMLParser):
    """The words of a page, without its style sheet."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.words.append(data)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, tuple[tuple[str, str], ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("tbody", "style"):
            return  # browsers add the one, and the other is compared for itself
        given = {name: value or "" for name, value in attrs if name not in ("rel", "target")}
        if "style" in given:
            given["style"] = re.sub(r"\s+", "", given["style"]).rstrip(";")
        self.found.append((tag, tuple(sorted(given.items()))))


def _elements(html: str) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    reader = _Elements()
    reader.feed(html)
    return reader.found


def _sheet(html: str) -> str:
    return "".join(unescape(each) for each in re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
