"""How a template reads in a list."""

from frontend.settings.templates.listing import readable


def test_fields_are_dots_and_steps_are_left_out() -> None:
    source = 'Your quote{% if contact.company %} for {{ contact.company }}{% endif %}:\n {{ me.name | default("us") }}'
    assert readable(source) == "Your quote for …: …"
