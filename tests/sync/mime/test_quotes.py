"""The reply is told apart from what it quotes, for the mail programs and languages people use."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mime.parse import parse_message
from sync.mime.quotes import split_quoted_html, split_quoted_text
from sync.mime.sanitise import sanitise_html
from tests.shared_data import shared_data
from tests.sync.mime.hostile_markup import findings

ATTRIBUTIONS = [
    "On Mon, Mar 2, 2026 at 10:15 AM, Lena K <lena@customer.example> wrote:",
    "Am 02.03.2026 um 10:15 schrieb Lena K:",
    "Am Mo., 2. März 2026 um 10:15 Uhr schrieb Lena <lena@customer.example>:",
    "Le lun. 2 mars 2026 à 10:15, Lena <lena@customer.example> a écrit :",
    "El lun, 2 mar 2026 a las 10:15, Lena (<lena@customer.example>) escribió:",
    "Em seg., 2 de mar. de 2026 às 10:15, Lena <lena@customer.example> escreveu:",
    "Il giorno lun 2 mar 2026 alle ore 10:15 Lena <lena@customer.example> ha scritto:",
    "Op ma 2 mrt 2026 om 10:15 schreef Lena <lena@customer.example>:",
    "Den mån 2 mars 2026 kl 10:15 skrev Lena <lena@customer.example>:",
    "W dniu 2.03.2026 o 10:15, Lena pisze/napisał:",
    "2 мар. 2026 г., в 10:15, Lena <lena@customer.example> написал(а):",
    "Lena <lena@customer.example> 于2026年3月2日周一 10:15写道\uff1a",
    "2026-03-02 10:15 GMT+01:00 Lena <lena@customer.example>:",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS, ids=range(len(ATTRIBUTIONS)))
def test_attributions(attribution: str) -> None:
    text = f"Yes, please.\n\nAna\n\n{attribution}\n\n> Shall we mend it?\n> Regards\n"
    visible, quoted = split_quoted_text(text)
    assert visible == "Yes, please.\n\nAna"
    assert quoted.startswith(attribution)


@pytest.mark.parametrize(
    "divider",
    ["-----Original Message-----\nFrom: Ana\n", "-----Ursprüngliche Nachricht-----\nVon: Ana\n",
     "________________________________\nFrom: Ana <a@b.example>\nSent: Monday\nTo: Lena\nSubject: x\n",
     "Von: Ana <a@b.example>\nGesendet: Montag, 2. März 2026 10:15\nAn: Lena\nBetreff: x\n",
     "De : Ana\nEnvoyé : lundi\nÀ : Lena\nObjet : x\n", "*From:* Ana\n*Sent:* Monday\n*To:* Lena\n",
     "---------- Forwarded message ---------\nFrom: Ana\n", "Begin forwarded message:\n\nFrom: Ana\n"],
)  # fmt: skip
def test_dividers(divider: str) -> None:
    visible, quoted = split_quoted_text(f"Yes.\n\n{divider}\nShall we?\n")
    assert visible == "Yes."
    assert quoted.rstrip().endswith("Shall we?")


def test_a_wrapped_attribution() -> None:
    text = "Yes.\n\nOn Mon, Mar 2, 2026 at 10:15 AM, Lena Katharina\n<lena@customer.example> wrote:\n\n> Shall we?\n"
    assert split_quoted_text(text)[0] == "Yes."


def test_answers_between_quoted_lines_stay_whole() -> None:
    text = "On Monday, Ana <a@b.example> wrote:\n> First?\nYes.\n> Second?\nNo.\n"
    assert split_quoted_text(text) == (text, "")


def test_what_is_no_quotation() -> None:
    for text in ("", "Hello", "> only quoted\n> lines", "On Tuesday I wrote: nothing yet.\nWill do.\nBye.",
                 "From: here to there is far.\nBye.", "2 > 1\nand 3 > 2"):  # fmt: skip
        assert split_quoted_text(text) == (text, "")


def squeezed(text: str) -> str:
    return re.sub(r"[\s_=-]+", "", text)


@given(st.lists(st.sampled_from(["text", "> quoted", "", "On Monday Ana <a@b.example> wrote:", "-- ", "From: a",
                                 "Sent: b", "To: c", "-----Original Message-----",
                                 "_______"]), max_size=20))  # fmt: skip
def test_nothing_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    visible, quoted = split_quoted_text(text)
    assert squeezed(visible + quoted) == squeezed(text)


@pytest.mark.parametrize("name", ["android", "aol", "apple_mail", "apple_mail_2", "comcast", "gmail", "hotmail",
                                  "iphone", "outlook", "sparrow", "yahoo"])  # fmt: skip
def test_replies_of_well_known_programs(name: str) -> None:
    folder = shared_data("reply-talon") / "standard_replies"
    expected = folder / f"{name}_reply_text"
    reply = expected.read_text("utf-8") if expected.exists() else "Hello"
    text = parse_message((folder / f"{name}.eml").read_bytes()).text
    assert text is not None
    assert split_quoted_text(text)[0].split() == reply.split()


@pytest.mark.parametrize("name", ["reply-github", "reply-zapier", "reply-willdurand"])
def test_shared_texts_split_without_loss(name: str) -> None:
    split = 0
    for path in sorted(shared_data(name).glob("**/*.txt")):
        text = path.read_text("utf-8", "replace").replace("\r\n", "\n")
        visible, quoted = split_quoted_text(text)
        assert squeezed(visible + quoted) == squeezed(text), path
        split += bool(quoted)
    assert split >= 8


@pytest.mark.parametrize(
    ("name", "reply"),
    [("email_1_4.txt", "Awesome! I haven't had another problem with it."), ("email_1_3.txt", None),
     ("email_BlackBerry.txt", "Here is another email\n\nSent from my BlackBerry")],
)  # fmt: skip
def test_known_answers(name: str, reply: str | None) -> None:
    text = (shared_data("reply-github") / "emails" / name).read_text("utf-8")
    visible, quoted = split_quoted_text(text)
    if reply is None:
        assert quoted.startswith("On 01/03/11 7:07 PM, Russell Brown wrote:")
    else:
        assert visible.strip() == reply


def clean(html: str) -> str:
    return sanitise_html(html, inline_images={}, show_remote=False, proxy_url=None).html


@pytest.mark.parametrize(
    "html",
    ['<div dir="ltr">Yes.</div><br><div class="gmail_quote"><div class="gmail_attr">On Monday Ana wrote:<br></div>'
     '<blockquote class="gmail_quote">Shall we?</blockquote></div>',
     '<p>Yes.</p><div class="moz-cite-prefix">Am 2.3.26 schrieb Ana:<br></div>'
     '<blockquote type="cite">Shall we?</blockquote>',
     '<div>Yes.</div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
     "<p><b>Von:</b> Ana<br><b>Gesendet:</b> Montag</p></div><p>Shall we?</p>",
     '<div>Yes.</div><hr><div id="divRplyFwdMsg"><b>From:</b> Ana</div><div>Shall we?</div>',
     '<div>Yes.</div><div><br><blockquote type="cite"><div>On Monday, Ana wrote:</div></blockquote></div>'
     '<blockquote type="cite">Shall we?</blockquote>',
     '<div>Yes.</div><div class="yahoo_quoted"><div>On Monday, Ana wrote:</div>Shall we?</div>'],
    ids=["gmail", "thunderbird", "outlook", "outlook.com", "apple", "yahoo"],
)  # fmt: skip
def test_html_of_well_known_programs(html: str) -> None:
    visible, quoted = split_quoted_html(clean(html))
    assert "Yes." in visible and "Shall we?" not in visible
    assert "Shall we?" in quoted and "Yes." not in quoted
    assert "Ana" not in visible, "the attribution goes with the quotation"


def test_html_answers_below_the_quotation_stay_visible() -> None:
    html = clean('<p>Hello</p><blockquote type="cite">Shall we?</blockquote><p>Yes, on Monday, of course.</p>')
    assert split_quoted_html(html) == (html, "")


def test_both_halves_of_html_are_well_formed_and_styled() -> None:
    html = clean(
        "<style>p{color:red}</style><div><p><b>Yes.</b></p><div class=gmail_quote><p>Shall we?</p></div></div>"
    )
    visible, quoted = split_quoted_html(html)
    assert clean(visible) == visible and clean(quoted) == quoted
    assert "color: red" in visible and "color: red" in quoted


@pytest.mark.parametrize("name", ["gmail", "ms_outlook_2003", "ms_outlook_2007", "ms_outlook_2010", "thunderbird",
                                  "windows_mail", "mail_ru", "yandex_ru"])  # fmt: skip
def test_html_replies_of_the_shared_data(name: str) -> None:
    path = shared_data("reply-talon") / "html_replies" / f"{name}.html"
    visible, quoted = split_quoted_html(clean(path.read_text("utf-8", "replace")))
    assert not findings(visible) and not findings(quoted)
    assert "Hi. I am fine." in visible and "Hello! How are you?" not in visible
    assert "Hello! How are you?" in quoted
