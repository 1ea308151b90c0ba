"""Judges a role of others before anything of it runs: what it may not do is refused with its place. Pure.

Only what is known to stay on the host passes: known folders, keywords, modules, and paths within the role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from lienthong.errors import Problem
from lienthong.handed.template import is_template, wrong
from lienthong.handed.words import (
    CONTROLLER_FILES,
    DEEP,
    EXPRESSIONS,
    FOLDERS,
    FREE_FORM,
    KEYWORDS,
    META,
    MODULES,
    REFUSED_KEYS,
    YAML_FOLDERS,
)

#: `!!python/…` has the same beginning as these.
_PLAIN = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")
)
_HINT = "a role may do only what stays on the host it runs for: docs/handed-over.md"
_LEAST = ("tasks/main.yml", "meta/argument_specs.yml")


def refusals(name: str, files: Mapping[str, bytes]) -> list[Problem]:
    """Everything in the role that is refused, in order of place.

    Args:
        files: by path within the role.
    """
    found = [
        Problem(
            f"roles/{name}/{path}",
            "is not there",
            "every role has tasks, and says the types of its variables",
        )
        for path in _LEAST
        if path not in files
    ]
    for path, data in sorted(files.items()):
        found += _File(name, path, files).problems(data)
    return found


class _File:
    """One file of a role and what is around it."""

    def __init__(self, name: str, path: str, files: Mapping[str, bytes]) -> None:
        self.name, self.path, self.files = name, path, files
        self.folder = path.split("/")[0] if "/" in path else ""

    def problems(self, data: bytes) -> list[Problem]:
        if not self.folder:
            return (
                []
                if self.path.startswith(("README", "LICENSE"))
                else [self._at(1, 1, "a file beside the folders")]
            )
        if self.folder not in FOLDERS:
            return [
                self._at(1, 1, f"folder {self.folder}/: programs for the controller, or of no use to a role")
            ]
        if self.folder == "files":
            return []
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return [self._at(1, 1, "no text in UTF-8")]
        if self.folder == "templates":
            return list(self._template(text))
        if self.folder in YAML_FOLDERS and not self.path.endswith((".yml", ".yaml")):
            return [self._at(1, 1, f"not .yml, in {self.folder}/")]
        return list(self._yaml(text))

    def _at(self, line: int, column: int, what: str) -> Problem:
        return Problem(f"roles/{self.name}/{self.path}:{line}:{column}", what, _HINT)

    def _on(self, node: yaml.Node, what: str) -> Problem:
        return self._at(node.start_mark.line + 1, node.start_mark.column + 1, what)

    def _template(self, text: str) -> Iterator[Problem]:
        if text.lstrip("\ufeff").startswith("#jinja2:"):
            yield self._at(1, 1, "changes how templates are marked")
        for line, what in wrong(text):
            yield self._at(line, 1, what)

    def _yaml(self, text: str) -> Iterator[Problem]:
        try:
            # An alias is written out by whoever walks the tree, as often as it says.
            events = yaml.parse(text, Loader=yaml.SafeLoader)
            alias = next((event for event in events if isinstance(event, yaml.AliasEvent)), None)
            if alias is not None:
                mark = alias.start_mark
                line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
                yield self._at(line, column, "an alias; write it out")
                return
            tree = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError) as error:
            where = getattr(error, "problem_mark", None)
            line, column = (where.line + 1, where.column + 1) if where else (1, 1)
            yield self._at(line, column, f"not YAML: {getattr(error, 'problem', None) or error}")
            return
        if tree is None:
            return
        yield from self._everything(tree, "")
        if self.folder in {"tasks", "handlers"}:
            yield from self._tasks(tree)
        elif self.path in {"meta/main.yml", "meta/main.yaml"} and isinstance(tree, yaml.MappingNode):
            for key, value in tree.value:
                if key.value == "dependencies" and value.value:
                    yield self._on(key, "needs other roles; each is handed over by itself")

    def _everything(self, node: yaml.Node, under: str) -> Iterator[Problem]:
        """What is refused wherever it stands."""
        if node.tag not in _PLAIN:
            yield self._on(node, f"tag {node.tag}: nothing but plain values")
        if isinstance(node, yaml.ScalarNode):
            text = str(node.value)
            if under == "register" and text.startswith("ansible_"):
                yield self._on(node, f"`{text}`: a variable by which Ansible itself is steered")
            asked = [text] if is_template(text) else []
            if under in EXPRESSIONS and not asked:
                asked = [f"{{{{ {text} }}}}"]
            # A block begins in the line after its mark.
            below = 1 if node.style in {"|", ">"} else 0
            for source in asked:
                for line, what in wrong(source):
                    column = 1 if below or line > 1 else node.start_mark.column + 1
                    yield self._at(node.start_mark.line + below + line, column, what)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from self._everything(item, under)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode) or is_template(str(key.value)):
                    yield self._on(key, "a key that is no plain word")
                    continue
                yield from self._key(key)
                yield from self._everything(value, str(key.value))

    def _key(self, key: yaml.ScalarNode) -> Iterator[Problem]:
        word = str(key.value)
        if self.folder in {"tasks", "handlers"}:
            if word in DEEP:
                yield self._on(key, f"`{word}` {REFUSED_KEYS[word]}")
            elif word.startswith("with_"):
                yield self._on(
                    key, f"`{word}` is a look-up, which runs on the controller; use loop with a list"
                )
        if word.startswith("ansible_") and self.folder != "meta":
            yield self._on(key, f"`{word}`: a variable by which Ansible itself is steered")

    def _tasks(self, tree: yaml.Node) -> Iterator[Problem]:
        if not isinstance(tree, yaml.SequenceNode):
            yield self._on(tree, "no list of tasks")
            return
        for task in tree.value:
            if not isinstance(task, yaml.MappingNode):
                yield self._on(task, "no task")
                continue
            said = {str(key.value): (key, value) for key, value in task.value}
            for word, (key, value) in said.items():
                if word in {"block", "rescue", "always"}:
                    yield from self._tasks(value)
                elif word in REFUSED_KEYS.keys() - DEEP:
                    yield self._on(key, f"`{word}` {REFUSED_KEYS[word]}")
                elif word in KEYWORDS or word in DEEP or word.startswith("with_"):
                    continue
                else:
                    more = said["args"][1] if "args" in said else None
                    yield from self._module(key, word, value, more)

    def _module(
        self, key: yaml.Node, word: str, value: yaml.Node, more: yaml.Node | None
    ) -> Iterator[Problem]:
        module = word.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
        if module not in MODULES:
            yield self._on(key, f"`{word}` is no module that is known to stay on its host")
            return
        told: dict[str, yaml.Node] = {}
        for part in (value, more):
            if isinstance(part, yaml.MappingNode):
                told |= {str(name.value): given for name, given in part.value}
            elif isinstance(part, yaml.SequenceNode) or (part is more and part is not None):
                yield self._on(part, f"{module} is told by a list or a text")
        if isinstance(value, yaml.ScalarNode) and value.value:
            if module not in FREE_FORM:
                yield self._on(value, f"{module} is told by a text; write its arguments out")
                return
            if module == "meta":
                if value.value not in META:
                    yield self._on(value, f"meta: {value.value} reaches beyond its host")
                return
            if module in CONTROLLER_FILES:
                told.setdefault(CONTROLLER_FILES[module][0][0], value)
        yield from self._paths(module, told)

    def _paths(self, module: str, told: Mapping[str, yaml.Node]) -> Iterator[Problem]:
        if "apply" in told and module == "include_tasks":
            yield self._on(told["apply"], "apply: keywords for tasks elsewhere; say them there")
        arguments, folder = CONTROLLER_FILES.get(module, ((), ""))
        there = told.get("remote_src")
        if there is not None and arguments:
            if str(there.value).lower() in {"true", "yes"}:
                return  # a file of the host itself
            if str(there.value).lower() not in {"false", "no"}:
                yield self._on(there, "remote_src is true or false, and nothing that is found out later")
        for argument in arguments:
            node = told.get(argument)
            if node is None:
                continue
            path = str(node.value).split(" ")[0] if module == "script" else str(node.value)
            inside = f"{folder}/{path.removesuffix('/')}"
            known = inside in self.files or any(other.startswith(f"{inside}/") for other in self.files)
            if not isinstance(node, yaml.ScalarNode) or ".." in path.split("/") or not known:
                yield self._on(node, f"{module} takes {path!a}, which is no file of the role in {folder}/")
