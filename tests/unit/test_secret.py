"""A secret cannot be seen by accident, by any of the ways that Python, pydantic and our own tools have."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import gc
import html
import inspect
import io
import json
import logging
import marshal
import pickle
import pprint
import reprlib
import shelve
import string
import traceback
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import jinja2
import pydantic
import pydantic_core
import pytest
import yaml

from lienthong.model.secret import Secret, SecretRef
from lienthong.secrets import LabSecrets

VALUE = "not-for-eyes-42"


class Held(pydantic.BaseModel):
    """A model that holds a secret where nobody should put one."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    secret: Secret


@dataclasses.dataclass
class Box:
    secret: Secret


def pickled(protocol: int) -> Callable[[Any], Any]:
    return lambda s: pickle.dumps(s, protocol)


#: These refuse: no text comes of them at all.
REFUSING: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "f-string": lambda s: f"{s}",
    "f-string with width": lambda s: f"{s:>20}",
    "str.format": lambda s: "{}".format(s),  # noqa: UP032
    "percent": lambda s: "%s" % s,  # noqa: UP031
    "join": lambda s: "".join(s),
    "join of a list": lambda s: "".join([s]),
    "template string": lambda s: string.Template("$x").substitute(x=s),
    "jinja": lambda s: jinja2.Template("{{ s }}").render(s=s),
    "html": html.escape,
    "print": lambda s: print(s, file=io.StringIO()),
    "write": lambda s: io.StringIO().write(s),
    "bytes": bytes,
    "json": json.dumps,
    "json in a mapping": lambda s: json.dumps({"x": [s]}),
    "json as a key": lambda s: json.dumps({s: 1}),
    "json default=str": lambda s: json.dumps(s, default=str),
    "json default=vars": lambda s: json.dumps(s, default=vars),
    "yaml": lambda s: yaml.dump(s),
    "marshal": marshal.dumps,
    **{f"pickle {protocol}": pickled(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
    "pickle in a box": lambda s: pickle.dumps(Box(s)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy in a box": lambda s: copy.deepcopy([Box(s)]),
    "asdict": lambda s: dataclasses.asdict(Box(s)),
    "astuple": lambda s: dataclasses.astuple(Box(s)),
    "vars": vars,
    "__dict__": lambda s: s.__dict__,
    "__getstate__": lambda s: s.__getstate__(),
    "equal": lambda s: s == VALUE,
    "equal, other way": lambda s: VALUE == s,  # noqa: SIM300
    "not equal": lambda s: s != VALUE,
    "less": lambda s: s < VALUE,
    "in a list": lambda s: VALUE in [s],
    "contains": lambda s: "n" in s,
    "dataclass equal": lambda s: Box(s) == Box(Secret(VALUE)),
    "hash": hash,
    "set": lambda s: {s},
    "bool": bool,
    "len": len,
    "iterate": list,
    "item": lambda s: s[0],
    "add": lambda s: s + "x",
    "add, other way": lambda s: "x" + s,
    "set attribute": lambda s: setattr(s, "_tell", None),
    "delete attribute": lambda s: delattr(s, "_tell"),
    "diff": lambda s: list(difflib.ndiff([s], ["x"])),
    "unified diff": lambda s: list(difflib.unified_diff([s], ["x"])),
    "sequence matcher": lambda s: difflib.SequenceMatcher(a=s, b="x").ratio(),
    "pydantic json": lambda s: Held(secret=s).model_dump_json(),
    "pydantic json mode": lambda s: Held(secret=s).model_dump(mode="json"),
    "pydantic deep copy": lambda s: Held(secret=s).model_copy(deep=True),
    "pydantic to_json": pydantic_core.to_json,
    "pydantic to_jsonable": pydantic_core.to_jsonable_python,
    "pydantic Any": lambda s: pydantic.TypeAdapter(Any).dump_json(s),
    "pydantic from another type": lambda s: pydantic.TypeAdapter(str).validate_python(s, strict=True),
    "subclass": lambda _: type("Loud", (Secret,), {}),
    "of a secret": Secret,
}

#: These yield something, which must not hold the value.
SHOWING: dict[str, Callable[[Any], Any]] = {
    "repr": repr,
    "ascii": ascii,
    "reprlib": reprlib.repr,
    "percent r": lambda s: "%r" % s,  # noqa: UP031
    "conversion": lambda s: f"{s!r}",
    "in a list": lambda s: str([s, {"x": s}]),
    "pprint": pprint.pformat,
    "pprint in a box": lambda s: pprint.pformat([Box(s)]),
    "dataclass": lambda s: str(Box(s)),
    "json default=repr": lambda s: json.dumps(s, default=repr),
    "format of an attribute": lambda s: "{._tell}".format(s),  # noqa: UP032
    "getmembers": lambda s: str(inspect.getmembers(s)),
    "slots": lambda s: str([getattr(s, name) for name in type(s).__slots__]),
    "dir": lambda s: str(dir(s)),
    "pydantic": lambda s: str(Held(secret=s)) + repr(Held(secret=s)),
    "pydantic dump": lambda s: repr(Held(secret=s).model_dump()),
    "pydantic unknown": lambda s: pydantic_core.to_json(s, serialize_unknown=True).decode(),
    "locals in a traceback": lambda s: locals_of_a_failure(s),
    "who refers": lambda s: str(gc.get_referents(s)),
}


def locals_of_a_failure(secret: Secret) -> str:
    try:
        str(secret)
    except TypeError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return VALUE


@pytest.mark.parametrize("way", REFUSING)
def test_it_refuses(way: str) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError, yaml.YAMLError)) as caught:
        REFUSING[way](Secret(VALUE))
    assert VALUE not in f"{caught.value!s} {caught.value!r} {caught.value.args}"


@pytest.mark.parametrize("way", SHOWING)
def test_what_is_shown_does_not_hold_it(way: str) -> None:
    assert VALUE not in str(SHOWING[way](Secret(VALUE)))


def test_pydantic_refuses_one_without_quoting_it() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(int).validate_python(Secret(VALUE))
    assert VALUE not in f"{caught.value} {caught.value.errors()}"


def test_logging_says_nothing(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    secret, stream = Secret(VALUE), io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("of-secrets")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        logger.warning("%r %s", secret, [secret])
        logger.warning("%s", secret)  # logging reports its own error, with the arguments, on stderr
        logger.warning("%(x)r", {"x": secret})
        logger.warning(secret)
        try:
            str(secret)
        except TypeError:
            logger.exception("failed", stack_info=True, extra={"held": secret})
    finally:
        logger.removeHandler(handler)
    seen = capsys.readouterr()
    assert "<secret>" in stream.getvalue()
    assert "Logging error" in seen.err
    assert VALUE not in stream.getvalue() + seen.out + seen.err + caplog.text


def test_a_shelf_keeps_none(tmp_path: Path) -> None:
    with shelve.open(str(tmp_path / "shelf")) as shelf, pytest.raises(TypeError):
        shelf["x"] = Secret(VALUE)
    assert not any(VALUE.encode() in path.read_bytes() for path in tmp_path.iterdir())


def test_it_can_be_revealed_and_matched_on_purpose() -> None:
    assert Secret(VALUE).reveal() == VALUE
    assert Secret(VALUE).matches(VALUE)
    assert not Secret(VALUE).matches(VALUE + "x")
    assert Secret("\udc80").matches("\udc80")


@pytest.mark.parametrize("name", ["", "Ospf/x", "ospf/x y", "ospf/x>\nno router ospf", "/x", "ospf/ninh\n"])
def test_a_name_that_could_be_a_line_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="name of a secret"):
        SecretRef(name)


def test_lab_secrets_are_made_once_and_only_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    (tmp_path / "secrets.new").touch(0o666)  # what a killed run left
    (tmp_path / "secrets.new").chmod(0o666)
    first = LabSecrets(path).get(SecretRef("sip/loc-ninh-vc"))
    again = LabSecrets(path).get(SecretRef("sip/loc-ninh-vc"))
    other = LabSecrets(path).get(SecretRef("sip/tinh-uy-vc"))
    assert first.matches(again.reveal())
    assert not first.matches(other.reveal())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_suffix(".lock").stat().st_mode & 0o777 == 0o600


def test_nobody_waits_for_a_secret_that_another_one_is_making(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under gevent whoever waits for a lock waits with all others, the one that holds it among them."""
    store, made = LabSecrets(tmp_path / "secrets.json"), list[str]()

    def slow(ref: SecretRef) -> str:
        if not made:
            made.append("begun")
            made.append(store.get(ref).reveal())
        return f"fresh {len(made)}"

    monkeypatch.setattr("lienthong.secrets.lab.fresh", slow)
    got: list[str] = []
    worker = Thread(target=lambda: got.append(store.get(SecretRef("mirror/net")).reveal()), daemon=True)
    worker.start()
    worker.join(10)
    assert not worker.is_alive(), "it waits for itself"
    assert got == made[1:], "both were told the same"
