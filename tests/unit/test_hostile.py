"""A value of the inventory never becomes a line of configuration, a shell command or a template.

Every place that the models have is filled (a test says so), and into each a hostile string is put. Either it
is refused, by a message that a terminal can bear; or everything is rendered, and must have the shape that it
has with a harmless value: the same lines, in which only the value itself differs.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.errors import InventoryError
from lienthong.render import ascii_text
from tests.examples import properties
from tests.rendered import everything
from tests.whole import Spot, fields, loaded, put, spots, whole

SPOTS = list(spots(whole()))
#: Free text that somebody is shown: most of what is taken is taken here, so half of the tries go here.
SHOWN = [spot for spot in SPOTS if {"Site.name", "Uplink.provider", "ReachedBy.why"} & set(spot.fields)]
#: Every value begins so: in the output it can be told from everything else.
MARK = "zqj"
#: What a template, shell, format, configuration or page may obey. Honest values have none of it.
STEERING = re.compile(r"[\"'`\\$%{}<>|;&^~!#?*\[\]\x00-\x09\x0b-\x1f\x7f-\x9f]")
#: A number that is made from a name (policies of a FortiGate), which another name changes.
CHOSEN = re.compile(r"\d{7,}")
#: A name that was too long for a FortiGate: its beginning, here within the value, and such a number.
CUT = re.compile(rf"{MARK}[\w.@-]* (?=\d{{7}}\")")
HOSTILE = (
    "\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\t", "\x1b[31m",
    "\x1b]0;x\x07", "\x9b2J", '"', "'", "`", "\\", "\\n", "{{ 7*7 }}", "{% raw %}", "{# #}", "{{", "}}",
    "$(id)", "${HOME}", "$x", "`id`", "%s", "%(x)s", "%n", "!", "\n!\n", "\nno router ospf\n",
    "\nexit\n", "; rm -rf /", "| sh", "&& id", "> /x", "< /x", "#", "//", "/*", "--", "-", "..", "../..",
    "/", "=cmd", "+1", "@SUM(1)", ": ", " #", "- ", "[", "]", "{", "}", "*", "&a", "!!python/object",
    "<script>", "</title>", "&lt;", "]]>", "<!--", "?", "~", "^", "\u202e", "\u2066", "\u200b", "\u200f",
    "\u2060", "\ufeff", "\U000e0041", "\u0301" * 60, "\u0430", "\u2215", "\uff1b", "\u037e", "\ud800",
    "\udfff", "\ue000", "\u3000", "\xa0", " ", "  ", "\xad", "\u061c", "\ufff9", "x" * 300,
    "x" * 10_000_000, "đơn thư", "\u01c4", "\ufb01", "\u212a", "\u2044", "\u2024", "xn--", ",", "=", "(",
    ")", "_", ".", ":", "@",
)  # fmt: skip


def hostile() -> st.SearchStrategy[str]:
    """Strings with the mark, and something else before, within or after it."""
    part = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=6), st.just(""))
    return st.one_of(
        st.builds(lambda a, b: f"{MARK}{a}{b}", part, part),
        st.builds(lambda a, b: f"{MARK}{a}q{b}qj", part, part),
        st.builds(lambda a, b: f"{a}{MARK}{b}", part, part),
    )


def harmless(value: str) -> list[str]:
    """Values of the same length of which nobody is afraid, in the order in which they are tried."""
    first, marked, rest = value.partition(MARK)
    others = ["9" * len(value), value[:1] + "x" * (len(value) - 1)]
    # A name keeps its place among the others: a list shows its first by name.
    before = first if marked and re.fullmatch("[a-z0-9-]*", first) else "x" * len(first)
    return [before + MARK + "x" * len(rest), *others] if marked else others


@lru_cache(maxsize=200)
def outcome(spot: Spot, value: str) -> dict[str, str] | InventoryError:
    """Everything the whole inventory becomes with that value in that place, or why it is refused."""
    data = whole()
    put(data, spot.path, spot.is_key, value)
    try:
        inventory = loaded(data)
    except InventoryError as error:
        return error
    return everything(inventory)


def shape(output: dict[str, str], value: str) -> Counter[tuple[str, str, str]]:
    """(name of the output, line without the value, what may steer in it), each with how often it comes."""
    plain = {value, unicodedata.normalize("NFC", value), ascii_text(value), ascii_text(value).lower()}
    plain.add(re.sub(r"[^A-Za-z0-9 .,:;_/@+=-]", ".", ascii_text(value)))  # what a FortiGate takes
    forms = {form.replace("-", "_") for form in plain} | {html.escape(form) for form in plain} | plain
    known = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True) if form))
    without = {(name, text, ""): 1 for name, text in output.items() if MARK not in name + text}
    return Counter(without) + Counter(
        (known.sub("@", name), *_line(line, known))
        for name, text in output.items()
        if (name, text, "") not in without
        # not splitlines(): a line is what any reader might take for one
        for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text)
    )


def _line(line: str, known: re.Pattern[str]) -> tuple[str, str]:
    steering = STEERING.findall(line)
    if "<svg" in line or "<symbol" in line:
        # the drawing shortens and breaks what is too long: only which signs there are is compared
        return "", "".join(sorted(set(steering)))
    return CHOSEN.sub("N", CUT.sub("@ ", known.sub("@", line))), "".join(steering)


def unsafe_message(error: InventoryError) -> str:
    """The first character of a message that a terminal would obey or not show; "" when there is none."""
    bad = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    return next((c for c in str(error) if c != "\n" and unicodedata.category(c) in bad), "")


def same_shape(spot: Spot, value: str) -> str:
    """What a value does that it must not do; "" when it is refused or harmless."""
    found = outcome(spot, value)
    if isinstance(found, InventoryError):
        if unsafe_message(found) or len(str(found)) > 2_200 * len(found.problems):
            return f"the message carries {unsafe_message(found)!r}, {len(str(found))} characters"
        return "" if all(p.where for p in found.problems) else "a problem without a place"
    for other in harmless(value):
        if not isinstance(outcome(spot, other), InventoryError):
            beside = outcome(spot, other)
            assert not isinstance(beside, InventoryError)
            differing = (shape(found, value) - shape(beside, other)).most_common(3)
            return f"{differing}" if shape(found, value) != shape(beside, other) else ""
    return f"{value!r} is taken and no harmless value of its length is"


def test_every_field_is_filled() -> None:
    assert fields() - {name for spot in SPOTS for name in spot.fields} == set()


def test_the_whole_is_good_and_renders_every_host_template() -> None:
    found = everything(loaded(whole()))
    text = "\n".join(found.values())
    for what in ("OnCalendar", "Dhcp4", "local-zone", "table inet lienthong", "\"peer\":", "scrape_interval",
                 "[Interface]", "#!KAMAILIO", "auth_user", "ssl_protocols", "local stratum", "router ospf",
                 "port br-lan",
                 "ansible_host", "ssh_hostname", "<testsuite", "<!doctype html>", "imrelp"):  # fmt: skip
        assert what.lower() in text.lower(), what


@properties(80)
@given(st.one_of(st.sampled_from(SPOTS), st.sampled_from(SHOWN)), hostile())
def test_no_value_escapes(spot: Spot, value: str) -> None:
    assert same_shape(spot, value) == ""


@pytest.mark.parametrize("field", ["Uplink.provider", "Site.hosts"])
def test_each_hostile_string_in_the_fields_that_are_shown(field: str) -> None:
    spot = next(spot for spot in SPOTS if field in spot.fields and (spot.is_key or "hosts" not in spot.path))
    wrong = {value: found for value in HOSTILE if (found := same_shape(spot, f"{MARK}{value}q"))}
    assert wrong == {}


def test_nothing_that_ansible_is_told_is_a_template() -> None:
    found = everything(loaded(whole()))["all ansible"]
    assert not re.search(r"\{\{|\{%|\{#", found)


def test_a_shape_tells_a_line_and_a_mark_too_many() -> None:
    def lines(value: str) -> dict[str, str]:
        return {"n": f'description "{value}"\nshutdown'}

    assert shape(lines("zqjab"), "zqjab") == shape(lines("zqjxx"), "zqjxx")
    for value in ('zqj"b', "zqj\nb", "zqj{{b", "zqj\u2028b", "zqj\x1bb"):
        assert shape(lines(value), value) != shape(lines("zqjxx"), "zqjxx"), value
