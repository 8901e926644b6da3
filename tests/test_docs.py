"""The documents name what there is: every command, every setting, every frame and event of the live protocol."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from backend import cli
from backend.events.contracts import Event, Frame
from backend.settings import VARIABLES

TOP = Path(__file__).parents[1]
API = (TOP / "docs" / "api.md").read_text(encoding="utf-8")
README = (TOP / "README.md").read_text(encoding="utf-8")


def tags(union: Any) -> list[str]:
    """The names by which the members of a union of contracts are told apart."""
    return sorted(member.__struct_config__.tag for member in get_args(union))


def commands() -> list[str]:
    parser = cli._parser()
    [choices] = [action.choices for action in parser._actions if isinstance(action.choices, dict)]
    return sorted(choices)


@pytest.mark.parametrize("command", commands())
def test_the_readme_names_every_command(command: str) -> None:
    assert f"`tandem {command}`" in README or f"`{command}`" in README


@pytest.mark.parametrize("variable", [variable.name for variable in VARIABLES])
def test_the_settings_document_names_every_setting(variable: str) -> None:
    assert f"`{variable}`" in (TOP / "docs" / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("tag", tags(Event))
def test_the_protocol_document_names_every_event(tag: str) -> None:
    assert f"`{tag}`" in API


@pytest.mark.parametrize("tag", tags(Frame))
def test_the_protocol_document_names_every_frame(tag: str) -> None:
    assert f"| `{tag}` |" in API


def test_links_between_the_documents_lead_somewhere() -> None:
    for document in [*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in (TOP / "docs" / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
    assert all(number.isdigit() for number in numbers)
