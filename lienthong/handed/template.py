"""What a Jinja text of a role speaks of, read from its syntax tree, not by searching for words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes

from lienthong.handed.words import REFUSED_FILTERS, REFUSED_NAMES, REFUSED_TESTS

_MARKS = ("{{", "{%", "{#")
#: Ansible switches both on. Nothing is rendered here, so what would be escaped does not matter.
_ENVIRONMENT = Environment(  # noqa: S701
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], keep_trailing_newline=True
)


def is_template(text: str) -> bool:
    """Whether Ansible would render it."""
    return any(mark in text for mark in _MARKS)


def wrong(text: str) -> Iterator[tuple[int, str]]:
    """Line within the text, and what is refused there."""
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        yield error.lineno, f"a template that is not understood: {error.message}"
        return
    for name in tree.find_all(nodes.Name):
        if name.name in REFUSED_NAMES:
            yield name.lineno, f"`{name.name}`: {REFUSED_NAMES[name.name]}"
        elif name.name.startswith("__"):
            yield name.lineno, f"`{name.name}`: the inside of the template engine"
    for used in tree.find_all(nodes.Filter):
        if used.name.rpartition(".")[2] in REFUSED_FILTERS:
            yield used.lineno, f"filter `{used.name}` looks at the controller"
        elif used.name.count("."):
            yield used.lineno, f"filter `{used.name}` comes with a collection that nobody looked at"
    for asked in tree.find_all(nodes.Test):
        if asked.name.rpartition(".")[2] in REFUSED_TESTS:
            yield asked.lineno, f"test `{asked.name}` looks at the controller"
    for part in tree.find_all(nodes.Getattr):
        if part.attr.startswith("_"):
            yield part.lineno, f"`.{part.attr}`: the inside of the template engine"
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Const) and str(item.arg.value).startswith("__"):
            yield item.lineno, f"`{item.arg.value}`: the inside of the template engine"
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        target = getattr(other, "template", None)
        path = target.value if isinstance(target, nodes.Const) else None
        if not isinstance(path, str) or path.startswith("/") or ".." in path.split("/"):
            yield other.lineno, "takes in a file that may lie outside the role"
