"""The commands of one edition of VRP: by view, by heading, in the order in which they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lienthong.sim.vendors.huawei_vrp.grammar import Form


@dataclass(frozen=True, eq=False)
class Tables:
    """What one edition knows."""

    header: str
    version: str
    system: tuple[Form, ...]
    """Commands of the system view."""
    opening: tuple[tuple[Form, str], ...]
    """Commands that open a view, and the view."""
    views: tuple[Form, ...]
    """Commands of all other views."""
    order: tuple[str, ...]
    """How sections and families of the system view follow each other."""
    two_phase: bool = False
    link_type: str = "hybrid"
    """The kind that a port has from the factory, and that is not shown."""
    port_names: str = ""
    """How a port is called in short."""
    _known: dict[object, object] = field(default_factory=dict, repr=False)

    def view_of(self, heading: str) -> str:
        """The kind of a view by its heading."""
        found = self._known.get(heading)
        if not isinstance(found, str):
            found = self._known[heading] = self._view_of(heading)
        return found

    def _view_of(self, heading: str) -> str:
        words = heading.split()
        for form, view in self.opening:
            fixed = [word for word in form.words if not word.startswith("<")]
            if (
                len(words) != len(form.words)
                or any(word not in words for word in fixed)
                or words[0] != fixed[0]
            ):
                continue
            if words[0] == "acl" and words[-1].isdigit() and (words[-1][0] == "2") != (view == "basic"):
                continue
            return view
        return ""

    def forms(self, view: str) -> tuple[Form, ...]:
        """Commands of a view that open none."""
        return self._of[view][0] if view in self._of else ()

    def doors(self, view: str) -> tuple[tuple[Form, str], ...]:
        """Commands of a view that open another."""
        return self._of[view][1] if view in self._of else ()

    @cached_property
    def _of(self) -> dict[str, tuple[tuple[Form, ...], tuple[tuple[Form, str], ...]]]:
        names = {view for form in (*self.system, *self.views) for view in form.views}
        names |= {view for form, _ in self.opening for view in form.views}
        return {
            view: (
                tuple(form for form in (*self.system, *self.views) if view in form.views),
                tuple((form, name) for form, name in self.opening if view in form.views),
            )
            for view in names
        }

    def rank(self, line: str) -> int | None:
        """Where a line of the system view stands; None for one that is not known."""
        key = ("", line)
        if key not in self._known:
            found = next((index for index, start in enumerate(self.order) if line.startswith(start)), None)
            inner = _last(line, self._starts["sys"])
            self._known[key] = None if found is None else found * 1000 + inner
        rank = self._known[key]
        assert rank is None or isinstance(rank, int)
        return rank

    def within(self, heading: str, line: str) -> int | None:
        """Where a line of a view stands; None for one that is not known."""
        view = self.view_of(heading)
        key = (view, line)
        if key not in self._known:
            self._known[key] = _last(line, self._starts.get(view, ())) or None
        rank = self._known[key]
        assert rank is None or isinstance(rank, int)
        return rank

    @cached_property
    def _starts(self) -> dict[str, tuple[str, ...]]:
        return {
            view: tuple(dict.fromkeys(_start(form) for form in (*forms, *(form for form, _ in doors))))
            for view, (forms, doors) in self._of.items()
        }


def _start(form: Form) -> str:
    found = []
    for word in form.words:
        if word[0] in "<{":
            break
        found.append(word)
    return " ".join(found)


def _last(line: str, starts: Sequence[str]) -> int:
    """One more than the place of the longest beginning that fits; 0 for none."""
    fits = [index for index, start in enumerate(starts) if line == start or line.startswith(f"{start} ")]
    return max(fits, key=lambda index: len(starts[index])) + 1 if fits else 0
