"""Merge fields: what they fill in, what they say is missing, and that no text can do harm."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.templates.language import TemplateError, Values, check, fields_in, render

CARLA = {"name": "Carla Customer", "first_name": "Carla", "email": "carla@customer.example"}
DAN = {"name": "Dan <Dee>", "first_name": "Dan", "email": "dan@customer.example"}
VALUES = Values({"contact": CARLA, "me": {"name": "Ana Ribeiro"}, "mailbox": {"name": ""}}, [CARLA, DAN])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {{ contact.first_name }},", "Hello Carla,"),
        ("Hello {{ contact.phone | default('you there') }}.", "Hello you there."),
        ("{{ mailbox.name | default('Support') | upper }}", "SUPPORT"),
        ("{% if contact.company %}At {{ contact.company }}{% else %}At home{% endif %}", "At home"),
        ("{% if contact.first_name == 'Carla' and not contact.phone %}yes{% endif %}", "yes"),
        ("{% for person in recipients %}{{ person.first_name }}, {% endfor %}", "Carla, Dan, "),
        ("{{ 'a' if contact.email else 'b' }}{# nobody reads this #}\n", "a\n"),
        ("100 % {right} }} here", "100 % {right} }} here"),
        (
            "Hello\n{% if contact.email %}\nagain{% if contact.name %}!{% endif %}\n{% endif %}\nBye",
            "Hello\nagain!\nBye",
        ),
        ("Only 5 %}\nhere", "Only 5 %}\nhere"),
    ],
)
def test_fields_are_filled_in(source: str, text: str) -> None:
    rendering = render(source, VALUES)
    assert (rendering.text, rendering.missing) == (text, ())


@pytest.mark.parametrize("source", ["To {{ contact.company }}", "To {{ contact.company | trim }}"])
def test_what_is_missing_is_shown_and_named_and_never_blank(source: str) -> None:
    rendering = render(source, VALUES)
    assert (rendering.text, rendering.missing) == ("To [contact company]", ("contact.company",))


def test_what_is_only_asked_for_is_not_missing() -> None:
    assert render("{% if mailbox.name %}From {{ mailbox.name }}{% endif %}", VALUES).missing == ()


def test_markup_in_a_value_is_text() -> None:
    source = "{% for person in recipients %}<b>{{ person.name }}</b>{% endfor %}"
    assert "<b>Dan &lt;Dee&gt;</b>" in render(source, VALUES, html=True).text
    assert "<b>Dan <Dee></b>" in render(source, VALUES).text


def test_the_fields_of_a_text_are_listed_once() -> None:
    source = "{{ me.name }} {% if contact.phone %}{{ me.name }}{% endif %}"
    assert sorted(fields_in(source)) == ["contact.phone", "me.name"]


def test_an_unknown_field_is_named_with_what_was_meant() -> None:
    with pytest.raises(TemplateError) as refused:
        check("Dear\n{{ contact.frist_name }}")
    assert refused.value.message == "There is no field “contact.frist_name”."
    assert (refused.value.remedy, refused.value.line) == ("Did you mean contact.first_name?", 2)


HOSTILE = [
    "{{ ''.__class__.__mro__ }}",
    "{{ contact.__init__ }}",
    "{{ contact['name'] }}",
    "{{ contact }}",
    "{{ self }}",
    "{{ recipients }}",
    "{{ lipsum() }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ contact.name.upper() }}",
    "{{ contact.name | attr('upper') }}",
    "{{ contact.name | replace('', 'aaaaaaaaaa') | replace('', 'aaaaaaaaaa') }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 'x' ~ 'y' }}",
    "{{ [1, 2] }}",
    "{% for x in range(1000000000) %}a{% endfor %}",
    "{% for a in recipients %}{% for b in recipients %}x{% endfor %}{% endfor %}",
    "{% for a in recipients recursive %}{{ loop(recipients) }}{% endfor %}",
    "{% for a in recipients %}{{ loop.index }}{% endfor %}",
    "{% for contact in recipients %}x{% endfor %}",
    "{% set a = 1 %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'secrets' %}",
    "{% extends 'secrets' %}",
    "{% import 'os' as os %}",
    "{% block a %}{% endblock %}",
    "{% filter upper %}a{% endfilter %}",
    "{% call x() %}{% endcall %}",
    "{% with a = 1 %}{% endwith %}",
    "{% if contact.name is callable %}x{% endif %}",
    "{% if contact.name < 'x' %}x{% endif %}",
    "{{ person.name }}",
    "{{ contact.name | default(me.secret) }}",
    "{{ unclosed",
    "{% if contact.name %}",
    "{{ " + "(" * 5000 + ")" * 5000 + " }}",
    "{{ 1 }}" * 5_000,
    "x" * 300_000,
]


@pytest.mark.parametrize("source", HOSTILE, ids=[source[:40] for source in HOSTILE])
def test_a_hostile_text_is_refused_with_a_reason(source: str) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateError) as refused:
        render(source, VALUES)
    assert refused.value.message and refused.value.remedy
    assert time.monotonic() - began < 5


def test_what_makes_too_much_is_stopped() -> None:
    many = Values({}, [DAN] * 100)
    with pytest.raises(TemplateError, match="too much"):
        render("{% for p in recipients %}" + "x" * 20_000 + "{% endfor %}", many)


@given(st.text(max_size=200))
def test_any_text_is_rendered_or_refused(source: str) -> None:
    try:
        render(source, VALUES)
    except TemplateError as refused:
        assert refused.message


@given(st.text(alphabet="{}%#ifor ndcontact.me|'()[]_\n", max_size=60))
def test_any_text_that_looks_like_a_template_is_rendered_or_refused(source: str) -> None:
    try:
        render(source, VALUES, html=True)
    except TemplateError as refused:
        assert refused.message
