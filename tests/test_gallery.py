"""docs/gallery.md shows every template of the library as it is now."""

import re

import pytest

from backend.templates.library import ShippedTemplate, shipped_templates
from tests.gallery import MADE_OF, PLACE, SCHEMES, WIDTHS, made_of, picture_of
from tests.servers.tandem import PROJECT

GALLERY = (PROJECT / "docs" / "gallery.md").read_text("utf-8")


def test_no_template_is_newer_than_its_pictures() -> None:
    assert MADE_OF.read_text("utf-8") == made_of(shipped_templates()), "python -m tests.gallery, look, and note"


@pytest.mark.parametrize("template", shipped_templates(), ids=lambda each: each.key)
def test_each_is_shown_four_times_with_a_note(template: ShippedTemplate) -> None:
    _, _, section = GALLERY.partition(f"\n### {template.name}\n")
    said, _, pictures = section.partition("\n### ")[0].partition("<img")
    assert template.about in said
    assert len(said.replace(template.about, "").split()) > 8
    for width in WIDTHS:
        for scheme in SCHEMES:
            path = picture_of(template, width, scheme)
            assert path.exists()
            assert f"gallery/{path.name}" in pictures


def test_there_is_no_picture_too_many_and_none_is_heavy() -> None:
    shown = set(re.findall(r"gallery/([\w-]+\.webp)", GALLERY))
    assert {path.name for path in PLACE.glob("*.webp")} == shown
    assert max(path.stat().st_size for path in PLACE.glob("*.webp")) < 25_000
