"""A secret cannot be seen by accident, and the lab's secrets are made once."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lienthong.model.secret import Secret, SecretRef
from lienthong.secrets import LabSecrets

VALUE = "not-for-eyes-42"

WAYS: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "format": lambda s: f"{s}",
    "percent": lambda s: "%s" % s,  # noqa: UP031
    "join": lambda s: "".join(s),
    "bytes": bytes,
    "json": json.dumps,
    "pickle": pickle.dumps,
    "copy": copy.deepcopy,
    "equal": lambda s: s == VALUE,
    "hash": hash,
    "len": len,
    "add": lambda s: s + "x",
}


@pytest.mark.parametrize("way", WAYS)
def test_it_refuses(way: str) -> None:
    with pytest.raises(TypeError):
        WAYS[way](Secret(VALUE))


def test_repr_and_log_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(VALUE)
    assert repr(secret) == "<secret>"
    logging.getLogger("x").warning("%r %s", secret, [secret])
    assert VALUE not in caplog.text
    assert not hasattr(secret, "__dict__")


def test_it_can_be_revealed_and_matched_on_purpose() -> None:
    assert Secret(VALUE).reveal() == VALUE
    assert Secret(VALUE).matches(VALUE)
    assert not Secret(VALUE).matches(VALUE + "x")


def test_lab_secrets_are_made_once_and_only_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = LabSecrets(path).get(SecretRef("sip/loc-ninh-vc"))
    again = LabSecrets(path).get(SecretRef("sip/loc-ninh-vc"))
    other = LabSecrets(path).get(SecretRef("sip/tinh-uy-vc"))
    assert first.matches(again.reveal())
    assert not first.matches(other.reveal())
    assert path.stat().st_mode & 0o777 == 0o600


def test_ospf_keys_fit_the_protocol(tmp_path: Path) -> None:
    key = LabSecrets(tmp_path / "secrets.json").get(SecretRef("ospf/loc-ninh"))
    assert len(key.reveal()) == 16
