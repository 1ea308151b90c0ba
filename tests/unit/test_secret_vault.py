"""The vault: real files of Ansible Vault, real passwords by file, script and client script, each refusal."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lienthong.errors import LienThongError, Unreachable
from lienthong.inventory import load
from lienthong.model.intent import ProvincePlan
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.words import Side
from lienthong.plan.build import build
from lienthong.secrets import NoSecret, VaultSecrets, vaultfile
from lienthong.secrets.change import Vault
from lienthong.secrets.passwords import NoPassword
from lienthong.secrets.vaultfile import DoesNotOpen, VaultFile, locked
from lienthong.secrets.wireguard import public_key

ROOT = Path(__file__).resolve().parents[2]
TODAY = "2026-11-23"
OSPF, SIP = SecretRef("ospf/loc-ninh"), SecretRef("sip/loc-ninh-vc")
TUNNEL, OFFICE = SecretRef("wireguard/loc-ninh-gw-net"), SecretRef("wireguard/tinh-uy-gw-net")
KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def plan() -> ProvincePlan:
    return build(load(ROOT / "inventory"))


@pytest.fixture
def password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a password file outside the checkout, and with `use` names it to Ansible for an identity."""
    for name in list(os.environ):
        if name.startswith("ANSIBLE_"):
            monkeypatch.delenv(name)
    given: list[str] = []

    def write(label: str, text: str, *, use: bool = True) -> Path:
        path = tmp_path / f"{label}.password"
        path.write_text(text + "\n")
        if use:
            given[:] = [pair for pair in given if not pair.startswith(f"{label}@")] + [f"{label}@{path}"]
            monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", ", ".join(given))
        return path

    return write


@pytest.fixture
def vault(tmp_path: Path, plan: ProvincePlan) -> Vault:
    root = tmp_path / "checkout"
    (root / "inventory").mkdir(parents=True)
    return Vault(root / "inventory" / "secrets", root, plan)


def reading(vault: Vault, side: Side | None = None) -> VaultSecrets:
    return VaultSecrets(vault.folder, lambda: vault.plan, vault.root, side)


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def by_ansible(*words: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("ansible-vault")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return subprocess.run(
        [program, *words], capture_output=True, text=True, env={**kept, "LC_ALL": "C.UTF-8"}
    )


def test_a_value_goes_in_and_comes_out_and_plain_ansible_reads_it(
    vault: Vault, password: Callable[..., Path]
) -> None:
    file = password("loc-ninh-wan", "correct horse")
    changed = vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    vault.set(SIP, None, TODAY, replace=False)
    assert changed.nodes == ("loc-ninh-gw-wan", "tinh-uy-gw-wan")
    assert reading(vault).get(OSPF).reveal() == KEY
    path = vault.folder / "loc-ninh-wan.vault.yaml"
    assert path.read_text().splitlines()[0] == "$ANSIBLE_VAULT;1.2;AES256;loc-ninh-wan"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in vault.folder.iterdir()] == [path.name]
    seen = by_ansible("view", "--vault-id", f"loc-ninh-wan@{file}", path)
    assert seen.returncode == 0, seen.stderr
    assert "identity: loc-ninh-wan\n" in seen.stdout
    assert KEY in seen.stdout
    assert KEY not in path.read_text()


def test_what_a_person_wrote_by_ansible_vault_is_read_as_it_stands(
    vault: Vault, password: Callable[..., Path], tmp_path: Path
) -> None:
    file = password("loc-ninh-wan", "correct horse")
    vault.folder.mkdir()
    path = vault.folder / "loc-ninh-wan.vault.yaml"
    path.write_text("ospf/loc-ninh: 0123456789\nsip/loc-ninh-vc: 1234567890e12\n")
    done = by_ansible(
        "encrypt", "--vault-id", f"loc-ninh-wan@{file}", "--encrypt-vault-id", "loc-ninh-wan", path
    )
    assert done.returncode == 0, done.stderr
    assert reading(vault).get(OSPF).reveal() == "0123456789"
    assert reading(vault).get(SIP).reveal() == "1234567890e12"
    vault.set(OSPF, Secret(KEY), TODAY, replace=True)
    assert reading(vault).get(SIP).reveal() == "1234567890e12"


def test_by_file_by_script_and_by_client_script(
    vault: Vault, password: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password("loc-ninh-wan", "correct horse")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    plain = script(tmp_path / "tell", "echo correct horse")
    client = script(tmp_path / "keyring-client", 'echo "$@" > "$0.asked"; echo correct horse')
    monkeypatch.delenv("ANSIBLE_VAULT_IDENTITY_LIST")
    with pytest.raises(NoPassword, match="identity loc-ninh-wan is not given") as caught:
        reading(vault).get(OSPF)
    assert "ANSIBLE_VAULT_IDENTITY_LIST=loc-ninh-wan@FILE" in caught.value.hint
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(plain))
    assert reading(vault).get(OSPF).reveal() == KEY
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE")
    monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", f"loc-ninh-wan@{client}")
    assert reading(vault).get(OSPF).reveal() == KEY
    assert (tmp_path / "keyring-client.asked").read_text() == "--vault-id loc-ninh-wan\n"


def test_a_setting_in_ansible_cfg_counts_too(
    vault: Vault, password: Callable[..., Path], tmp_path: Path
) -> None:
    file = password("loc-ninh-wan", "correct horse")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\nvault_identity_list = loc-ninh-wan@{file}\n")
    code = (
        "from pathlib import Path; from lienthong.secrets.vaultfile import VaultFile;"
        f"a, b = Path({str(vault.folder)!r}), Path({str(vault.root)!r});"
        "print(sorted(VaultFile(a, 'loc-ninh-wan', b).read()))"
    )
    env = {
        "PATH": os.environ["PATH"],
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.stdout == "['ospf/loc-ninh']\n", done.stderr


def test_a_script_that_fails_is_named_and_what_it_said_is_not(
    vault: Vault, tmp_path: Path, password: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = script(tmp_path / "broken-client", "echo half-a-password >&2; echo half-a-password; exit 3")
    monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", f"loc-ninh-wan@{failing}")
    with pytest.raises(
        LienThongError, match=r"identity loc-ninh-wan cannot be had from .*broken-client"
    ) as caught:
        vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    assert "half-a-password" not in str(caught.value)


def test_the_password_of_another_identity_is_never_tried(
    vault: Vault, password: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = password("loc-ninh-wan", "correct horse")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", f"loc-ninh-net@{file}")
    with pytest.raises(NoPassword):
        reading(vault).get(OSPF)


def test_a_controller_of_one_side_opens_nothing_of_the_other(
    vault: Vault, password: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = script(tmp_path / "tell", 'touch "$0.asked"; echo one-for-all')
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(asked))
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    (tmp_path / "tell.asked").unlink()
    with pytest.raises(LienThongError, match="belongs to side wan; this controller is of side net"):
        reading(vault, Side.NET).get(OSPF)
    assert not (tmp_path / "tell.asked").exists()
    assert reading(vault, Side.WAN).get(OSPF).reveal() == KEY


def test_a_wrong_password_names_the_identity_and_how_to_give_it(
    vault: Vault, password: Callable[..., Path]
) -> None:
    password("loc-ninh-wan", "correct horse")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    before = (vault.folder / "loc-ninh-wan.vault.yaml").read_bytes()
    password("loc-ninh-wan", "battery staple")
    for attempt in (
        lambda: reading(vault).get(OSPF),
        lambda: vault.set(SIP, None, TODAY, replace=True),
        lambda: vault.rotate(OSPF, TODAY),
    ):
        with pytest.raises(DoesNotOpen, match="given for identity loc-ninh-wan: another password") as caught:
            attempt()
        assert "ANSIBLE_VAULT_IDENTITY_LIST=loc-ninh-wan@FILE" in caught.value.hint
        assert "battery" not in str(caught.value)
    assert (vault.folder / "loc-ninh-wan.vault.yaml").read_bytes() == before


@pytest.mark.parametrize("place", ["salt", "hmac", "text"])
def test_a_changed_file_is_refused(vault: Vault, password: Callable[..., Path], place: str) -> None:
    password("loc-ninh-wan", "correct horse")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    path = vault.folder / "loc-ninh-wan.vault.yaml"
    head, *lines = path.read_text().splitlines()
    salt, hmac, text = bytes.fromhex("".join(lines)).split(b"\n")
    parts = {"salt": salt, "hmac": hmac, "text": text}
    parts[place] = (b"0" if parts[place][:1] != b"0" else b"1") + parts[place][1:]
    body = b"\n".join(parts.values()).hex()
    path.write_text("\n".join([head, *(body[at : at + 80] for at in range(0, len(body), 80))]) + "\n")
    with pytest.raises(DoesNotOpen, match="its HMAC does not match"):
        reading(vault).get(OSPF)
    with pytest.raises(DoesNotOpen):
        vault.set(SIP, None, TODAY, replace=False)


def test_a_damaged_file_is_refused(vault: Vault, password: Callable[..., Path]) -> None:
    password("loc-ninh-wan", "correct horse")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    path = vault.folder / "loc-ninh-wan.vault.yaml"
    for text in (path.read_text()[:120], path.read_text().splitlines()[0] + "\nzzzz\n"):
        path.write_text(text)
        with pytest.raises(DoesNotOpen, match=r"damaged|does not open"):
            reading(vault).get(OSPF)


def test_a_file_in_the_place_of_another_is_refused(vault: Vault, password: Callable[..., Path]) -> None:
    """Even where both have one password, and the header, which no signature covers, was changed with it."""
    password("loc-ninh-wan", "the same")
    password("bu-dang-wan", "the same")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    content = (vault.folder / "loc-ninh-wan.vault.yaml").read_bytes()
    other = vault.folder / "bu-dang-wan.vault.yaml"
    other.write_bytes(content)
    with pytest.raises(
        DoesNotOpen, match=r"its header names loc-ninh-wan \(format 1.2;AES256\), not bu-dang-wan"
    ):
        VaultFile(vault.folder, "bu-dang-wan", vault.root).read()
    other.write_bytes(content.replace(b"loc-ninh-wan", b"bu-dang-wan"))
    with pytest.raises(DoesNotOpen, match="content of another identity than bu-dang-wan"):
        VaultFile(vault.folder, "bu-dang-wan", vault.root).read()


def test_a_file_in_the_clear_or_of_the_old_format_is_refused(
    vault: Vault, password: Callable[..., Path]
) -> None:
    file = password("loc-ninh-wan", "correct horse")
    vault.folder.mkdir()
    path = vault.folder / "loc-ninh-wan.vault.yaml"
    path.write_text(f"ospf/loc-ninh: {KEY}\n")
    with pytest.raises(DoesNotOpen, match="is not encrypted") as caught:
        reading(vault).get(OSPF)
    assert KEY not in str(caught.value)
    assert by_ansible("encrypt", "--vault-password-file", file, path).returncode == 0
    with pytest.raises(DoesNotOpen, match=r"names no identity \(format 1.1;AES256\)"):
        reading(vault).get(OSPF)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ospf/loc-ninh: [a\n", "line 2 within: this is not YAML"),
        ("ospf/loc-ninh: [MARK]\n", "line 1 within: names and their values are expected"),
        ("ospf/loc-ninh: {value: MARK, sinse: x}\n", "ospf/loc-ninh is a text, or a mapping"),
        ("ospf/loc-ninh:\n", "ospf/loc-ninh is a text, or a mapping"),
        ("ospf/loc-ninh: MARK1\nospf/loc-ninh: MARK2\n", "line 2 within: ospf/loc-ninh stands there twice"),
        ("- MARK\n", "line 1 within: names and their values are expected"),
        ("? [MARK]\n: x\n", "line 1 within: a name is a text"),
    ],
)
def test_what_is_wrong_within_is_told_without_the_content(
    vault: Vault, password: Callable[..., Path], content: str, message: str
) -> None:
    file = password("loc-ninh-wan", "correct horse")
    vault.folder.mkdir()
    path = vault.folder / "loc-ninh-wan.vault.yaml"
    path.write_text(content)
    done = by_ansible(
        "encrypt", "--vault-id", f"loc-ninh-wan@{file}", "--encrypt-vault-id", "loc-ninh-wan", path
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(DoesNotOpen, match="within") as caught:
        reading(vault).get(OSPF)
    assert message in str(caught.value)
    assert "MARK" not in str(caught.value)


def test_a_password_inside_the_checkout_is_refused(
    vault: Vault, password: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inside = vault.root / "run" / "password"
    inside.parent.mkdir()
    inside.write_text("correct horse\n")
    link = tmp_path / "link"
    link.symlink_to(inside)
    pointing = vault.root / "pointing"
    pointing.symlink_to(password("loc-ninh-wan", "correct horse", use=False))
    told = script(vault.root / "tell-client", "echo correct horse")
    for source in (inside, link, pointing, told, f"{tmp_path}/x/../checkout/run/password"):
        monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", f"loc-ninh-wan@{source}")
        with pytest.raises(LienThongError, match="must not lie inside the checkout"):
            vault.set(OSPF, None, TODAY, replace=False)
    assert not list(vault.root.rglob("*.vault.yaml"))


def test_a_value_that_is_set_stays_unless_it_is_to_be_replaced(
    vault: Vault, password: Callable[..., Path]
) -> None:
    password("loc-ninh-wan", "correct horse")
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    with pytest.raises(LienThongError, match="is set already"):
        vault.set(OSPF, None, TODAY, replace=False)
    assert reading(vault).get(OSPF).reveal() == KEY
    vault.set(OSPF, None, TODAY, replace=True)
    assert reading(vault).get(OSPF).reveal() != KEY


def test_a_new_value_and_a_new_password(vault: Vault, password: Callable[..., Path]) -> None:
    password("loc-ninh-wan", "correct horse")
    with pytest.raises(NoSecret):
        vault.rotate(OSPF, TODAY)
    vault.set(OSPF, Secret(KEY), TODAY, replace=False)
    vault.set(SIP, Secret("a-password-by-hand"), TODAY, replace=False)
    assert vault.rotate(OSPF, TODAY).nodes == ("loc-ninh-gw-wan", "tinh-uy-gw-wan")
    new = reading(vault).get(OSPF).reveal()
    assert new != KEY
    with pytest.raises(LienThongError, match="is the old one"):
        vault.rekey("loc-ninh-wan", str(password("same", "correct horse", use=False)))
    with pytest.raises(LienThongError, match="is a password of identity bu-dang-wan"):
        vault.rekey("loc-ninh-wan", "bu-dang-wan@/x")
    with pytest.raises(LienThongError, match="no identity 'nowhere-wan'"):
        vault.rekey("nowhere-wan", "/x")
    with pytest.raises(LienThongError, match="there is no such file yet"):
        vault.rekey("loc-ninh-net", "/x")
    vault.rekey("loc-ninh-wan", f"loc-ninh-wan@{password('next', 'battery staple', use=False)}")
    with pytest.raises(DoesNotOpen):
        reading(vault).get(OSPF)
    password("loc-ninh-wan", "battery staple")
    assert reading(vault).get(OSPF).reveal() == new
    assert reading(vault).get(SIP).reveal() == "a-password-by-hand"


def test_the_passphrase_of_backups_is_not_made_anew(vault: Vault, password: Callable[..., Path]) -> None:
    password("tinh-uy-wan", "correct horse")
    borg = SecretRef("borg/tinh-uy-vault-wan")
    vault.set(borg, None, TODAY, replace=False)
    before = reading(vault).get(borg).reveal()
    with pytest.raises(LienThongError, match="borg key change-passphrase"):
        vault.rotate(borg, TODAY)
    assert reading(vault).get(borg).matches(before)


def test_the_other_end_of_a_tunnel_needs_no_password(
    vault: Vault, password: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    password("tinh-uy-net", "the office's")
    vault.set(OFFICE, None, TODAY, replace=False)
    office = public_key(reading(vault).get(OFFICE))
    monkeypatch.delenv("ANSIBLE_VAULT_IDENTITY_LIST")
    assert reading(vault).public(OFFICE) == office
    with pytest.raises(NoPassword):
        reading(vault).get(OFFICE)
    with pytest.raises(NoSecret):
        reading(vault).public(TUNNEL)
    password("tinh-uy-net", "the office's")
    vault.rotate(OFFICE, TODAY)
    assert reading(vault).public(OFFICE) == public_key(reading(vault).get(OFFICE)) != office
    assert (vault.folder / "tinh-uy-net.public.yaml").stat().st_mode & 0o777 == 0o644


def test_a_vault_that_does_not_open_is_no_missing_secret(
    vault: Vault, password: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The office drops the peer of a site that has no key yet, but none whose key it cannot see."""
    password("loc-ninh-net", "correct horse")
    vault.set(TUNNEL, None, TODAY, replace=False)
    (vault.folder / "loc-ninh-net.public.yaml").unlink()
    assert reading(vault).public(TUNNEL) == public_key(reading(vault).get(TUNNEL))
    monkeypatch.delenv("ANSIBLE_VAULT_IDENTITY_LIST")
    with pytest.raises(NoPassword):
        reading(vault).public(TUNNEL)
    assert not issubclass(NoPassword, NoSecret)


def test_a_public_half_that_is_none_is_refused(vault: Vault) -> None:
    vault.folder.mkdir()
    for line in ("wireguard/loc-ninh-gw-net: short", f"ospf/loc-ninh: {'A' * 43}=", "x"):
        (vault.folder / "loc-ninh-net.public.yaml").write_text(f"# halves\n{line}\n")
        with pytest.raises(LienThongError, match=r"loc-ninh-net.public.yaml:2: not one public half"):
            reading(vault).public(TUNNEL)


def test_no_two_versions_share_a_key_stream(
    vault: Vault, password: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ansible would take its salt from the environment; two texts under one key stream betray each other."""
    monkeypatch.setenv("ANSIBLE_VAULT_ENCRYPT_SALT", "0" * 32)
    password("loc-ninh-wan", "correct horse")
    salts = set()
    for _ in range(2):
        vault.set(OSPF, Secret(KEY), TODAY, replace=True)
        lines = (vault.folder / "loc-ninh-wan.vault.yaml").read_text().splitlines()[1:]
        salts.add(bytes.fromhex("".join(lines)).partition(b"\n")[0])
    assert len(salts) == 2


def test_two_at_once_lose_nothing(vault: Vault, password: Callable[..., Path]) -> None:
    password("loc-ninh-wan", "correct horse")
    refs = [SecretRef(f"extra{number}/loc-ninh-vc") for number in range(8)]
    threads = [
        threading.Thread(target=vault.set, args=(r, None, TODAY), kwargs={"replace": False}) for r in refs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(VaultFile(vault.folder, "loc-ninh-wan", vault.root).read()) == set(refs)


def test_a_lock_that_is_held_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaultfile, "PATIENCE_S", 0.1)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(Unreachable, match="another lienthong secret is writing"), locked(tmp_path):
        pass
    os.close(handle)
    with locked(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_no_plaintext_ever_touches_the_disk(
    vault: Vault, password: Callable[..., Path], tmp_path: Path
) -> None:
    """Python tells every file that is opened for writing while a value is set and a password changed."""
    password("loc-ninh-wan", "correct horse")
    seen: list[str] = []

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR) and watching:
            seen.append(str(args[0]))

    watching = True
    sys.addaudithook(hook)
    try:
        vault.set(OSPF, Secret(KEY), TODAY, replace=False)
        vault.rekey("loc-ninh-wan", str(password("next", "battery staple", use=False)))
    finally:
        watching = False
    # a number is the file just opened, wrapped; Ansible and Python, when imported, open what is theirs
    mine = {n for n in seen if n != "/dev/null" and "next.password" not in n and "__pycache__" not in n}
    mine = {n for n in mine if not n.isdigit()}
    assert mine == {str(vault.folder / ".loc-ninh-wan.vault.yaml.new")}
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
