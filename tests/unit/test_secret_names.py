"""Where each secret of the real plan lies, what it is made of, and that none lies in the clear."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.errors import LienThongError
from lienthong.inventory import load
from lienthong.model.intent import ProvincePlan
from lienthong.model.secret import SecretRef
from lienthong.model.site import Aaa
from lienthong.model.words import Side
from lienthong.plan.build import build
from lienthong.secrets.exposed import exposed
from lienthong.secrets.kinds import KINDS, fresh, kind, refuse_wrong
from lienthong.secrets.names import Identity, identities, identity_of, needs
from lienthong.workspace import twinned

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def plan() -> ProvincePlan:
    """The province with one gateway of a vendor, whose logins an AAA server decides."""
    inventory = twinned(
        load(ROOT / "inventory"), {"loc-ninh-gw-wan": ("mikrotik-routeros", "MikroTik hEX S")}
    )
    aaa = {"login": Aaa(side=Side.WAN, address=IPv4Address("10.0.4.20"))}
    province = inventory.province.model_copy(update={"aaa": aaa})
    return build(inventory.model_copy(update={"province": province}))


def test_every_secret_of_the_plan_has_one_file_of_the_right_site_and_side(plan: ProvincePlan) -> None:
    found = {need.ref: need for need in needs(plan)}
    assert len(found) >= 57
    for ref, need in found.items():
        family, _, owner = ref.partition("/")
        assert identity_of(ref, plan) == need.identity
        assert need.identity.label in identities(plan)
        assert need.nodes
        assert {plan.nodes[name].side for name in need.nodes} == {need.identity.side}, ref
        if family in {"pki", "aaa"}:
            assert need.identity == Identity(None, Side(owner))
        elif family == "ospf":
            assert need.identity == Identity(owner, Side.WAN)
        else:
            assert need.identity == Identity(plan.nodes[owner].site, plan.nodes[owner].side)
    # The key of snapshots is asked for where a host is a mirror (test_mirror).
    assert {ref.partition("/")[0] for ref in found} == set(KINDS) - {"mirror"}


def test_whom_a_new_value_changes(plan: ProvincePlan) -> None:
    found = {str(need.ref): need.nodes for need in needs(plan)}
    assert found["ospf/loc-ninh"] == ("loc-ninh-gw-wan", "tinh-uy-gw-wan")
    assert found["wireguard/loc-ninh-gw-net"] == ("loc-ninh-gw-net", "tinh-uy-gw-net")
    assert len(found["wireguard/tinh-uy-gw-net"]) == len(plan.sites)
    assert found["sip/loc-ninh-vc"] == ("loc-ninh-vc", "tinh-uy-reg")
    assert found["borg/tinh-uy-vault-net"] == ("tinh-uy-vault-net",)
    assert found["pki/net"] == tuple(sorted(n.name for n in plan.nodes.values() if n.side is Side.NET))


def test_every_secret_that_plan_or_deploys_ask_for_is_among_the_needs(plan: ProvincePlan) -> None:
    """The families that stand in the code; a new one that nobody could set would show here."""
    asked = set()
    for folder in ("lienthong", "deploys", "checks"):
        for path in (ROOT / folder).rglob("*.py"):
            asked |= set(re.findall(r'SecretRef\(f"([a-z]+)/\{', path.read_text(encoding="utf-8")))
    assert {"ospf", "wireguard", "sip", "borg", "pki"} <= asked
    assert asked <= {need.ref.partition("/")[0] for need in needs(plan)}


@pytest.mark.parametrize(
    "name", ["ospf/nowhere", "ospf/loc-ninh-gw-wan", "sip/loc-ninh", "pki/dmz", "x", "pki/"]
)
def test_a_name_of_nothing_is_refused(plan: ProvincePlan, name: str) -> None:
    with pytest.raises(LienThongError, match="the inventory has nothing that such a secret belongs to"):
        identity_of(SecretRef(name), plan)


@pytest.mark.parametrize("name", ["ospf/a", "wireguard/a", "sip/a", "borg/a", "pki/wan", "another/a"])
def test_what_is_made_passes_and_is_never_the_same(name: str) -> None:
    ref = SecretRef(name)
    made = {fresh(ref) for _ in range(20)}
    assert len(made) == 20
    for value in made:
        refuse_wrong(ref, value)


def test_ospf_keys_fit_the_protocol() -> None:
    assert len(fresh(SecretRef("ospf/loc-ninh"))) == 16


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ospf/a", "0123456789abcdef0"),
        ("ospf/a", "short"),
        ("ospf/a", "abcdefgh\nno x"),
        ("ospf/a", "abcdefgh!x"),
        ("ospf/a", "abcdefgh x"),
        ("ospf/a", "abcdefgh\n"),
        ("ospf/a", "abcdefgh|x"),
        ("wireguard/a", "A" * 44),
        ("wireguard/a", "QUFBQQ=="),
        ("wireguard/a", "=" * 44),
        ("sip/a", "twelve-chars;answermode=auto"),
        ("sip/a", "twelve chars here"),
        ("sip/a", "twelve-chars>"),
        ("borg/a", "sixteen characters\nand a line"),
        ("borg/a", "ends with a space, long "),
        ("borg/a", "mật khẩu của kho sao lưu"),
        ("pki/a", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("another/a", "short"),
        ("another/a", ""),
    ],
)
def test_a_value_of_another_kind_is_refused_unquoted(name: str, value: str) -> None:
    with pytest.raises(LienThongError, match=r"the value is not (a|the) ") as caught:
        refuse_wrong(SecretRef(name), value)
    assert not value or value not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted({*KINDS, "another"} - {"pki"})), st.text(max_size=60))
def test_no_value_that_passes_has_a_line_break_or_anything_unprintable(family: str, value: str) -> None:
    for text in (value, "abcdefgh" + value, "abcdefghijklmnop" + value + "q"):
        if kind(SecretRef(f"{family}/a")).passes(text):
            assert text.isascii() and text.isprintable() and text == text.strip()


def test_the_inventory_holds_nothing_in_the_clear() -> None:
    assert exposed(ROOT / "inventory") == []


HEAD = "$ANSIBLE_VAULT;1.2;AES256;"
PEM = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"
HALF = "A" * 43 + "="


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("secrets/loc-ninh-wan.vault.yaml", "ospf/loc-ninh: MARK\n", "is not encrypted"),
        ("secrets/loc-ninh-wan.vault.yaml", HEAD + "bu-dang-wan\n6162\n", "its header names bu-dang-wan"),
        ("secrets/loc-ninh-wan.vault.yaml", "", "is not encrypted"),
        ("secrets/password", "MARK\n", "nothing but LABEL.vault.yaml and LABEL.public.yaml"),
        ("secrets/notes.txt", "MARK", "nothing but LABEL.vault.yaml and LABEL.public.yaml"),
        ("secrets/.loc-ninh-wan.vault.yaml.swp", "MARK", "nothing but LABEL.vault.yaml"),
        (
            "secrets/loc-ninh-net.public.yaml",
            f"wireguard/a: {HALF}\nospf/a: MARK\n",
            "something else than public",
        ),
        ("secrets.vault.yaml", "ospf/loc-ninh: MARK\n", "is not encrypted"),
        ("vault-password", "MARK\n", "has the name of a password"),
        (".vault_pass", "MARK\n", "has the name of a password"),
        ("vault-keyring-client.py", "print('MARK')\n", "has the name of a password"),
        ("secrets.yaml", "a: b\n", "has the name of a password"),
        ("pki/wan/ca.key", PEM, "has the name of a password or a key"),
        ("pki/wan/authority", PEM, "holds a private key"),
        ("sites/a.yaml", f"note: |\n  {PEM}", "holds a private key"),
        ("sites/a.yaml", "number: 1\nhosts:\n  vc:\n    sip_password: MARK\n", "line 4 looks like a secret"),
        ("sites/a.yaml", "ospf/loc-ninh: 'MARKMARK'\n", "line 1 looks like a secret"),
        ("sites/a.yaml", "x:\n- token = MARKMARK\n", "line 2 looks like a secret"),
        ("wg.conf", "[Interface]\nPrivateKey = MARK=\n", "line 2 looks like a secret"),
    ],
)
def test_what_lies_in_the_clear_is_found(tmp_path: Path, path: str, content: str, what: str) -> None:
    file = tmp_path / "inventory" / path
    file.parent.mkdir(parents=True)
    file.write_text(content)
    found = exposed(tmp_path / "inventory")
    assert [problem.where for problem in found] == [f"inventory/{path}"]
    assert what in found[0].what
    assert "MARK" not in str(found[0])


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("secrets/loc-ninh-wan.vault.yaml", HEAD + "loc-ninh-wan\n6162\n"),
        ("secrets/loc-ninh-net.public.yaml", f"# halves\nwireguard/loc-ninh-gw-net: {HALF}\n"),
        ("sites/a.yaml", "number: 1\n# password: ask the office\npassword:\n  keeper: x\n"),
        ("sites/a.yaml", "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"),
        ("known_hosts", "10.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\n"),
    ],
)
def test_what_may_be_there_is_left_alone(tmp_path: Path, path: str, content: str) -> None:
    file = tmp_path / "inventory" / path
    file.parent.mkdir(parents=True)
    file.write_text(content)
    assert exposed(tmp_path / "inventory") == []
