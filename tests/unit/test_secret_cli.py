"""`lienthong secret` as an officer gives it: nothing of a value is ever shown, taken from argv, or lost."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from lienthong.model.secret import Secret, SecretRef
from lienthong.secrets.authority import belongs
from lienthong.secrets.vaultfile import VaultFile

ROOT = Path(__file__).resolve().parents[2]
KEY = "0123456789abcdef"
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Checkout:
    """A copy of the inventory, and the variables with which its officer works."""

    root: Path
    variables: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("ANSIBLE_", "LIENTHONG_"))}
        return {**kept, "LIENTHONG_ROOT": str(self.root), "PYTHONPATH": str(ROOT), **self.variables}

    def run(self, *words: str, stdin: str = "", **variables: str) -> Done:
        return subprocess.run(
            [sys.executable, "-m", "lienthong.cli", "secret", *words],
            input=stdin,
            env={name: value for name, value in {**self.environment, **variables}.items() if value},
            cwd=self.root,
            capture_output=True,
            text=True,
        )

    def listed(self, *words: str) -> dict[str, dict[str, Any]]:
        done = self.run("list", "--json", *words)
        return {row["name"]: row for row in json.loads(done.stdout)["secrets"]}

    def value(self, label: str, name: str, password: Path) -> Secret:
        os.environ["ANSIBLE_VAULT_IDENTITY_LIST"] = f"{label}@{password}"
        try:
            return VaultFile(self.root / "inventory/secrets", label, self.root).read()[name].value
        finally:
            del os.environ["ANSIBLE_VAULT_IDENTITY_LIST"]


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    return path


@pytest.fixture
def checkout(tmp_path: Path, password: Path) -> Checkout:
    root = tmp_path / "checkout"
    for part in ("sites", "layers"):
        shutil.copytree(ROOT / "inventory" / part, root / "inventory" / part)
    return Checkout(root, {"ANSIBLE_VAULT_PASSWORD_FILE": str(password)})


def test_a_value_from_standard_input(checkout: Checkout, password: Path) -> None:
    done = checkout.run("set", "ospf/loc-ninh", stdin=f"{KEY}\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "ospf/loc-ninh is set in inventory/secrets/loc-ninh-wan.vault.yaml",
        "  the next plan of side wan changes: loc-ninh-gw-wan, tinh-uy-gw-wan",
        "  apply their sites in one run: until both ends have it, they do not agree",
    ]
    assert done.stderr.strip().endswith("secret set · target live · inventory/secrets")
    assert KEY not in done.stdout + done.stderr
    assert checkout.value("loc-ninh-wan", "ospf/loc-ninh", password).matches(KEY)


def test_a_value_is_asked_for_twice_without_echo(checkout: Checkout, password: Path) -> None:
    for second, code in ((KEY, 0), ("fedcba9876543210", 2)):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "lienthong.cli", "secret", "set", "ospf/loc-ninh", "--replace"]
        process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=checkout.environment,
            start_new_session=True,
        )
        os.close(theirs)
        said = b""
        for prompt, answer in ((b"value of ospf/loc-ninh: ", KEY), (b"once more: ", second)):
            until = time.monotonic() + 30
            while prompt not in said and time.monotonic() < until:
                said += os.read(ours, 4096)
            os.write(ours, answer.encode() + b"\n")
        try:
            while chunk := os.read(ours, 4096):
                said += chunk
        except OSError:
            pass  # the other end of a terminal is gone with its process
        os.close(ours)
        assert process.wait() == code, said
        assert KEY.encode() not in said
        assert (b"the two are not the same" in said) == (code == 2)
    assert checkout.value("loc-ninh-wan", "ospf/loc-ninh", password).matches(KEY)


def test_a_value_is_never_an_argument(checkout: Checkout) -> None:
    done = checkout.run("set", "ospf/loc-ninh", KEY)
    assert done.returncode == 2
    assert "a value is never an argument" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not (checkout.root / "inventory/secrets").exists()


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("set", "ospf/loc-nin"), KEY, "did you mean ospf/loc-ninh?"),
        (("set", "OSPF"), KEY, "the name of a secret is of small letters"),
        (("set", "ospf/loc-ninh"), "", "8 to 16 letters"),
        (("set", "ospf/loc-ninh"), f"{KEY}\nmore\n", "8 to 16 letters"),
        (("set", "ospf/loc-ninh"), "x" * 70000, "more than 65536 characters"),
        (("rotate",), "", "name one secret, or an identity with --new"),
        (("rotate", "ospf/loc-ninh", "--identity", "loc-ninh-wan"), "", "name one secret, or an identity"),
        (("rotate", "--identity", "loc-ninh-wan"), "", "name one secret, or an identity with --new"),
        (("rotate", "ospf/loc-ninh"), "", "ospf/loc-ninh is not set"),
        (("rotate", "borg/tinh-uy-vault-wan"), "", "borg key change-passphrase"),
    ],
)
def test_it_is_refused(checkout: Checkout, words: tuple[str, ...], stdin: str, said: str) -> None:
    done = checkout.run(*words, stdin=stdin)
    assert done.returncode == 2
    assert said in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not list(checkout.root.rglob("*.vault.yaml"))


def test_a_password_in_the_checkout_or_none_is_refused(checkout: Checkout) -> None:
    inside = checkout.root / "password"
    inside.write_text("correct horse\n")
    for given, said in (
        (str(inside), "must not lie inside the checkout"),
        ("", "identity loc-ninh-wan is not given"),
    ):
        done = checkout.run("set", "ospf/loc-ninh", "--generate", ANSIBLE_VAULT_PASSWORD_FILE=given)
        assert done.returncode == 2
        assert said in done.stderr
    other = checkout.run("rotate", "--identity", "loc-ninh-wan", "--new", str(inside))
    assert other.returncode == 2
    assert not list(checkout.root.rglob("*.vault.yaml"))


def test_list_tells_names_and_never_a_value(checkout: Checkout, password: Path, tmp_path: Path) -> None:
    assert checkout.run("set", "ospf/loc-ninh", stdin=KEY).returncode == 0
    assert checkout.run("set", "wireguard/loc-ninh-gw-net", "--generate").returncode == 0
    assert checkout.run("set", "extra/loc-ninh-srv", "--generate").returncode == 0
    seen = checkout.listed()
    today = datetime.now(UTC).date().isoformat()
    assert seen["ospf/loc-ninh"] == {
        "name": "ospf/loc-ninh",
        "identity": "loc-ninh-wan",
        "file": "loc-ninh-wan.vault.yaml",
        "state": "set",
        "why": "",
        "since": today,
        "age_days": 0,
        "nodes": ["loc-ninh-gw-wan", "tinh-uy-gw-wan"],
    }
    assert seen["wireguard/loc-ninh-gw-net"]["state"] == "set"
    assert seen["sip/loc-ninh-vc"]["state"] == "missing"
    assert seen["extra/loc-ninh-srv"]["state"] == "unused"
    assert {row["identity"][-4:] for row in checkout.listed("--side", "net").values()} == {"-net"}
    text = checkout.run("list")
    assert text.returncode == 1
    assert text.stdout.splitlines()[-1] == f"{len(seen) - 3} missing, 2 set, 1 unused"
    values = [
        checkout.value("loc-ninh-wan", name, password).reveal()
        for name in ("ospf/loc-ninh", "extra/loc-ninh-srv")
    ]
    assert not any(value in text.stdout + text.stderr for value in values)
    other = tmp_path / "other"
    other.write_text("battery staple\n")
    shut = {
        row["name"]: row
        for row in json.loads(checkout.run("list", "--json", ANSIBLE_VAULT_PASSWORD_FILE=str(other)).stdout)[
            "secrets"
        ]
    }
    assert shut["ospf/loc-ninh"]["state"] == "does not open"
    assert "extra/loc-ninh-srv" not in shut
    nothing = checkout.run("list", "--json", ANSIBLE_VAULT_PASSWORD_FILE="")
    states = {r["name"]: r["state"] for r in json.loads(nothing.stdout)["secrets"]}
    assert states["ospf/loc-ninh"] == "no password"


def test_list_says_when_a_public_half_is_another_and_what_lies_in_the_clear(checkout: Checkout) -> None:
    assert checkout.run("set", "wireguard/loc-ninh-gw-net", "--generate").returncode == 0
    half = checkout.root / "inventory/secrets/loc-ninh-net.public.yaml"
    half.write_text(f"wireguard/loc-ninh-gw-net: {'A' * 43}=\n")
    (checkout.root / "inventory/vault-password").write_text("MARK\n")
    assert checkout.listed()["wireguard/loc-ninh-gw-net"]["state"] == "wrong"
    done = checkout.run("list", "--json")
    assert json.loads(done.stdout)["in_the_clear"] == [
        {"where": "inventory/vault-password", "what": "has the name of a password or a key"}
    ]
    assert "MARK" not in done.stdout
    assert checkout.run("rotate", "wireguard/loc-ninh-gw-net").returncode == 0
    assert checkout.listed()["wireguard/loc-ninh-gw-net"]["state"] == "set"


def test_a_controller_of_one_side_changes_and_lists_its_own_only(checkout: Checkout) -> None:
    done = checkout.run("set", "ospf/loc-ninh", "--generate", LIENTHONG_SIDE="net")
    assert done.returncode == 2
    assert "that is of side wan; this controller is of side net" in done.stderr
    again = checkout.run("rotate", "--identity", "loc-ninh-wan", "--new", "/x", LIENTHONG_SIDE="net")
    assert "that is of side wan" in again.stderr
    rows = json.loads(checkout.run("list", "--json", LIENTHONG_SIDE="net").stdout)["secrets"]
    assert rows
    assert {row["identity"].rpartition("-")[2] for row in rows} == {"net"}
    assert checkout.run("list", "--side", "wan", LIENTHONG_SIDE="net").returncode == 2
    assert "no such side" in checkout.run("list", LIENTHONG_SIDE="dmz").stderr


def test_a_file_gets_a_new_password(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.run("set", "ospf/loc-ninh", stdin=KEY).returncode == 0
    new = tmp_path / "new-client"
    new.write_text("#!/bin/sh\n[ \"$*\" = '--vault-id loc-ninh-wan' ] && echo battery staple\n")
    new.chmod(0o755)
    done = checkout.run("rotate", "--identity", "loc-ninh-wan", "--new", str(new))
    assert done.returncode == 0, done.stderr
    assert "older commits still open with the old password" in done.stdout
    assert checkout.listed()["ospf/loc-ninh"]["state"] == "does not open"
    assert checkout.value("loc-ninh-wan", "ospf/loc-ninh", new).matches(KEY)


def test_an_authority_and_its_certificate_come_together(checkout: Checkout, password: Path) -> None:
    done = checkout.run("set", "pki/wan", "--generate")
    assert done.returncode == 0, done.stderr
    path = checkout.root / "inventory/pki/wan/ca.crt"
    first = path.read_bytes()
    assert belongs(first, checkout.value("province-wan", "pki/wan", password))
    found = x509.load_pem_x509_certificate(first)
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert checkout.run("set", "pki/wan", "--generate").returncode == 2
    assert path.read_bytes() == first
    assert checkout.run("rotate", "pki/wan").returncode == 0
    assert path.read_bytes() != first
    assert belongs(path.read_bytes(), checkout.value("province-wan", "pki/wan", password))
    assert not belongs(first, checkout.value("province-wan", str(SecretRef("pki/wan")), password))
