"""The card of a group mailbox that says who is given new conversations."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, check_field, choice_field, submit
from frontend.settings.mailboxes import Mailboxes
from frontend.settings.people import People

_state: Any = Mailboxes
_people: Any = People

WAYS = (
    ("off", "Nobody: they wait under Unassigned"),
    ("round_robin", "One after the other"),
    ("least_busy", "Whoever has the fewest open ones here"),
)


def in_turn(chosen: Any) -> rx.Component:
    """Off, or in turn, and among whom."""
    return card(
        "New conversations",
        rx.el.form(
            choice_field("Assign them to", "how", WAYS, value=chosen.in_turn),
            rx.el.fieldset(
                rx.el.legend("Among these people; all who have access if you choose none", class_name="label"),
                rx.foreach(
                    _people.people,
                    lambda each: rx.fragment(
                        rx.cond(
                            each.active & chosen.reader_ids.contains(each.id),
                            check_field(
                                each.name,
                                "turn-" + each.id.to_string(),
                                checked=chosen.in_turn_ids.contains(each.id),
                            ),
                        ),
                        key=each.id,
                    ),
                ),
                class_name="checks",
            ),
            rx.el.small("Who is away is passed over. Old mail and spam are given to nobody.", class_name="hint"),
            submit("Save"),
            on_submit=_state.save_in_turn,
            key="turn" + chosen.id.to_string(),
            class_name="form",
        ),
    )
