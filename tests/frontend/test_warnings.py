"""What is said before a mail is sent: the script of the composer, run by Node."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "assets" / "widgets" / "compose" / "warnings.js"
DRAFT = {"kind": "new", "to": [], "inside": ["northwind.example"]}
WRITTEN = {"to": [], "cc": [], "bcc": [], "subject": "Your bike", "text": "", "html": "", "files": 0}


def people(*addresses: str) -> list[dict[str, str]]:
    return [{"name": "", "address": each} for each in addresses]


def told(cases: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[list[str]]:
    """The warnings for each pair of draft and composer."""
    given = json.dumps([[DRAFT | draft, WRITTEN | written] for draft, written in cases])
    program = (
        f"import {{ warningsOf }} from {json.dumps(SCRIPT.as_uri())};"
        f"console.log(JSON.stringify({given}.map(([draft, written]) => warningsOf(draft, written))))"
    )
    node = Path(sys.executable).with_name("node")
    done = subprocess.run(
        [node, "--input-type=module", "-e", program], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_an_attachment_that_is_spoken_of_is_missed_in_many_languages() -> None:
    speaking = [
        "Please see the attached invoice.", "Anbei die Rechnung.", "Die Rechnung ist im Anhang.",
        "Vous trouverez ci-joint le devis.", "Veuillez trouver la pièce jointe.", "Le adjunto la factura.",
        "Segue em anexo.", "In allegato la fattura.", "In de bijlage de offerte.", "Se bifogad fil.",
        "Vedhæftet finder du den.", "Liitteenä lasku.", "W załączeniu faktura.", "V příloze posílám.",
        "Mellékelve küldöm.", "Счёт во вложении.", "Ekte bulabilirsiniz.", "添付します。", "请见附件。",
    ]  # fmt: skip
    assert told([({}, {"text": text}) for text in speaking]) == [
        ["You write of an attachment, and there is none."] for _ in speaking
    ]


@pytest.mark.parametrize(
    "written",
    [
        {"text": "See the attached invoice.", "files": 1},
        {"text": "See the attached picture.", "html": '<p><img src="cid:a@picture"></p>'},
        {"text": "Yes.\n> see the attached invoice"},
        {"text": "We are detached from that, and our anhängliche Kunde too."},
    ],
)
def test_nothing_is_said_of_an_attachment_that_is_there_or_not_meant(written: dict[str, Any]) -> None:
    assert told([({}, written)]) == [[]]


def test_a_mail_without_a_subject_is_noticed() -> None:
    assert told([({}, {"subject": " "})]) == [["This mail has no subject."]]


def test_an_answer_to_many_people_says_to_how_many() -> None:
    many = people(*(f"{number}@customers.example" for number in range(12)))
    cases = [({"kind": "reply_all", "to": many}, {"to": many}), ({"kind": "new"}, {"to": many})]
    assert told(cases) == [["Your answer goes to all 12 people."], []]


def test_one_outside_address_among_inside_ones_is_named() -> None:
    inside = people("ana@northwind.example", "jonas@Northwind.example")
    outside = people("gil@cohen.example")
    said = "gil@cohen.example is outside of your organisation; the others are inside."
    assert told([
        ({}, {"to": inside, "cc": outside}),
        ({"kind": "reply_all", "to": outside}, {"to": outside, "cc": inside}),  # it is whom one answers
        ({}, {"to": outside, "cc": inside[:1]}),  # a colleague in copy of a mail to a customer
        ({}, {"to": inside}),
    ]) == [[said], [], [], []]  # fmt: skip
