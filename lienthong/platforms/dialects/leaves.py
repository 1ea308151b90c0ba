"""Indented configuration text as lines under their headings."""

from __future__ import annotations

from lienthong.platforms import Line, Lines


def leaves(text: str) -> Lines:
    """Every line that heads no others, with its headings; `exit`, `end`, `!` and blank lines are no lines."""
    found: list[Line] = []
    path: list[tuple[int, str]] = []
    for raw in text.splitlines():
        word = raw.strip()
        if not word or word.startswith("!") or word in {"exit", "end"}:
            continue
        indent = len(raw) - len(raw.lstrip(" "))
        while path and path[-1][0] >= indent:
            path.pop()
        parents = tuple(heading for _, heading in path)
        if parents and found and found[-1] == parents:
            found.pop()  # what looked like a leaf is a heading
        found.append((*parents, word))
        path.append((indent, word))
    return tuple(dict.fromkeys(found))
