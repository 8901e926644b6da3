"""How many merged mails a minute the templates make: the library's, subject, plain text and HTML, for one contact after
the other, each with values of their own.

    python -m tests.bench.templates --json

No database: reading a contact's values is not part of it. The last line on stdout is one JSON object, described in
docs/benchmarks.md.
"""

import argparse
import json
import time
from itertools import cycle, islice
from typing import Any

from backend.templates.filling import example_values
from backend.templates.language import Values, render
from backend.templates.library import shipped_templates
from tests.bench.figures import say, surroundings

FLOORS = {"renders_per_minute": 10_000}


def _values(number: int) -> Values:
    """Another contact each time: a rendering that was made before is no use."""
    example = example_values()
    contact = dict(example.fields["contact"]) | {
        "first_name": f"Carla {number}",
        "email": f"c{number}@customer.example",
    }
    return Values({**example.fields, "contact": contact}, [contact])


def run(count: int) -> dict[str, Any]:
    templates = shipped_templates()
    say(f"{count} mails from {len(templates)} templates")
    values = [_values(number) for number in range(count)]
    characters = 0
    began = time.perf_counter()
    for template, each in zip(islice(cycle(templates), count), values, strict=True):
        for source, html in ((template.subject, False), (template.text, False), (template.html, True)):
            rendered = render(source, each, html=html)
            assert not rendered.missing, rendered.missing
            characters += len(rendered.text)
    seconds = time.perf_counter() - began
    figures: dict[str, Any] = {"benchmark": "templates", "templates": len(templates), "mails": count} | surroundings()
    figures |= {
        "seconds": round(seconds, 2),
        "renders_per_minute": round(count / seconds * 60),
        "characters": characters,
    }
    missed = [name for name, least in FLOORS.items() if figures[name] < least]
    return figures | {"floors": FLOORS, "floors_missed": missed}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.templates", description="How many merged mails a minute."
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    parser.add_argument("--mails", type=int, default=10_000)
    chosen = parser.parse_args()
    print(json.dumps(run(chosen.mails), indent=None if chosen.json else 2), flush=True)


if __name__ == "__main__":
    main()
