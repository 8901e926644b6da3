"""Merge fields: a small part of Jinja2 in which no text can be hostile.

Who writes a template is trusted no more than who writes a mail: it may have been imported, or be shared by somebody
else. So it is not run and then stopped; it is checked first, and what passes cannot do harm:

- it reads the fields that are listed in `FIELDS` and nothing else, by their full names;
- it calls nothing: there are only the filters of `FILTERS`, none of which makes more than it gets;
- its one loop runs over the recipients and holds no other loop, so that the work is bounded by the text's length times
  their number, and both have limits.

Jinja2's own sandbox stands behind that, and a limit of time and of what comes out behind both.
"""

import difflib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateSyntaxError, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

FIELDS: Mapping[str, tuple[str, ...]] = {
    "contact": ("name", "first_name", "last_name", "email", "company", "phone"),
    "me": ("name", "first_name", "email"),
    "mailbox": ("name", "address"),
    "organisation": ("name",),
    "conversation": ("subject",),
    "today": ("date", "weekday", "year"),
}
"""What a template can name, as `contact.first_name`."""
PEOPLE = "recipients"
"""What a loop can run over: those of To, each with `name`, `first_name` and `email`."""
OF_PERSON = ("name", "first_name", "email")
FILTERS = ("default", "d", "upper", "lower", "capitalize", "title", "trim", "e", "escape")

LONGEST_SOURCE = 200_000
LONGEST_RESULT = 1_000_000
"""Characters."""
MOST_NODES = 3_000
MOST_PEOPLE = 100
MOST_SECONDS = 1.0


class TemplateError(ValueError):
    """A text that is no template of ours, or makes too much: what is wrong, in which line, and what to do."""

    def __init__(self, message: str, remedy: str, line: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.line = line


@dataclass(frozen=True, slots=True)
class Values:
    """What the fields hold: `fields["contact"]["first_name"]`; what is empty or unknown may be missing."""

    fields: Mapping[str, Mapping[str, str]]
    recipients: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Rendering:
    """The text, in which a field without a value stands as [its name], and those names, each once."""

    text: str
    missing: tuple[str, ...]


_missing: ContextVar[list[str]] = ContextVar("_missing")


def check(source: str) -> None:
    """Raises TemplateError with the first thing that is wrong."""
    _compiled(source, html=False)


def render(source: str, values: Values, *, html: bool = False) -> Rendering:
    """The text with its fields filled in; for `html` what is filled in is escaped. Raises TemplateError."""
    template = _compiled(source, html=html)
    missing: list[str] = []
    token = _missing.set(missing)
    try:
        text = "".join(_bounded(template.generate(_context(values))))
    finally:
        _missing.reset(token)
    return Rendering(text, tuple(dict.fromkeys(missing)))


def fields_in(source: str) -> list[str]:
    """The fields that a text names, each once, in their order. Raises TemplateError."""
    found = (
        f"{node.node.name}.{node.attr}"
        for node in _parsed(source).find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name in FIELDS
    )
    return list(dict.fromkeys(found))


def _bounded(pieces: Iterator[str]) -> Iterator[str]:
    until = time.monotonic() + MOST_SECONDS
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST_RESULT or time.monotonic() > until:
            raise TemplateError("This template makes too much.", "Shorten it, or write to fewer people at once.")
        yield piece


def _context(values: Values) -> dict[str, Any]:
    """Without what is empty: so `default` and `if` mean that, too."""
    filled: dict[str, Any] = {name: _Group(name, values.fields.get(name, {})) for name in FIELDS}
    filled[PEOPLE] = [_Group("recipient", person) for person in values.recipients[:MOST_PEOPLE]]
    return filled


# ---- Jinja2, set up


@dataclass(frozen=True, slots=True)
class _Group:
    """The fields before whose names a dot stands."""

    name: str
    values: Mapping[str, str]


class _Empty(Undefined):
    """A field without a value: false, and noted where it is written, in whatever way."""

    def __str__(self) -> str:
        name = self._undefined_name or "field"
        _missing.get().append(name)
        return f"[{name.replace('_', ' ').replace('.', ' ')}]"


class _Environment(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        assert isinstance(obj, _Group)  # nothing else has been let pass
        return obj.values.get(attribute) or _Empty(name=f"{obj.name}.{attribute}")


def _environment(*, html: bool) -> _Environment:
    made = _Environment(
        autoescape=html, undefined=_Empty, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.globals = {}
    made.tests = {}
    return made


_ENVIRONMENTS = {html: _environment(html=html) for html in (False, True)}


@lru_cache(maxsize=500)
def _compiled(source: str, *, html: bool) -> Template:
    environment = _ENVIRONMENTS[html]
    return Template.from_code(environment, environment.compile(_parsed(source)), environment.globals)


def _parsed(source: str) -> nodes.Template:
    if len(source) > LONGEST_SOURCE:
        raise TemplateError("This text is too long for a template.", "Leave something out.")
    try:
        tree = _ENVIRONMENTS[False].parse("\n".join(map(_closed, source.split("\n"))))
    except TemplateSyntaxError as fault:
        raise TemplateError(
            f"Line {fault.lineno} is not a template: {fault.message}", "Look at the brackets there.", fault.lineno
        ) from fault
    except RecursionError as fault:
        raise TemplateError("This template is nested too deeply.", "Take it apart.") from fault
    _check_nodes(tree)
    return tree


_ONLY_TAGS = re.compile(r"\s*(?:\{%[^{}]*%\}\s*)+")


def _closed(line: str) -> str:
    """A line that holds nothing but `if` and its like makes no line; a tag that ends another line leaves it its end."""
    if not line.endswith(("%}", "#}")) or line[-3:-2] in ("-", "+") or _ONLY_TAGS.fullmatch(line):
        return line
    opened = "{" + line[-2]
    return f"{line[:-2]}+{line[-2:]}" if opened in line else line


# ---- what may stand in a template

_PLAIN = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.If, nodes.CondExpr),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Compare),
)


def _check_nodes(tree: nodes.Template) -> None:
    waiting: list[tuple[nodes.Node, str | None]] = [(tree, None)]
    count = 0
    while waiting:
        node, person = waiting.pop()
        count += 1
        if count > MOST_NODES:
            raise TemplateError("This template has too many parts.", "Take it apart.", node.lineno)
        if isinstance(node, nodes.For):
            person = _check_loop(node, person)
            waiting += [(each, person) for each in node.body]
            continue
        if isinstance(node, nodes.Getattr):
            _check_field(node, person)
            continue
        if isinstance(node, nodes.Filter):
            if node.name not in FILTERS:
                raise TemplateError(
                    f"There is no filter “{node.name}”.", f"These can be used: {', '.join(FILTERS)}.", node.lineno
                )
            if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
                raise _not_here(node)
            waiting += [(each, person) for each in (node.node, *node.args) if each is not None]
            continue
        if isinstance(node, nodes.Operand) and node.op in ("eq", "ne", "in", "notin"):
            waiting.append((node.expr, person))
            continue
        if isinstance(node, nodes.Name):
            raise _unknown(node.name, node.lineno)
        if not isinstance(node, _PLAIN):
            raise _not_here(node)
        waiting += [(each, person) for each in node.iter_child_nodes()]


def _check_loop(node: nodes.For, person: str | None) -> str:
    over, target = node.iter, node.target
    if person is not None:
        raise TemplateError("There is a loop inside a loop.", "Write one after the other.", node.lineno)
    if not isinstance(over, nodes.Name) or over.name != PEOPLE:
        raise TemplateError(
            f"A loop can run over {PEOPLE} only.", f"Write {{% for person in {PEOPLE} %}}.", node.lineno
        )
    if not isinstance(target, nodes.Name) or target.name in FIELDS or node.test or node.recursive or node.else_:
        raise _not_here(node)
    return target.name


def _check_field(node: nodes.Getattr, person: str | None) -> None:
    if not isinstance(node.node, nodes.Name):
        raise _not_here(node)
    name = node.node.name
    if name == person and name is not None:
        allowed: Sequence[str] = OF_PERSON
    else:
        allowed = FIELDS.get(name, ())
    if node.attr not in allowed:
        raise _unknown(f"{name}.{node.attr}", node.lineno)


def _unknown(name: str, line: int) -> TemplateError:
    known = [f"{group}.{field}" for group, fields in FIELDS.items() for field in fields]
    near = difflib.get_close_matches(name, known, 1, 0.6)
    remedy = f"Did you mean {near[0]}?" if near else f"These can be used: {', '.join(known)}."
    return TemplateError(f"There is no field “{name}”.", remedy, line)


def _not_here(node: nodes.Node) -> TemplateError:
    return TemplateError(
        f"Line {node.lineno} uses something that templates do not have.",
        "Fields, default values, if and a loop over the recipients can be used.",
        node.lineno,
    )
