"""What deploys render and decide, without a node: rules, certificates, state, files."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jinja2 import UndefinedError

from lienthong.errors import LienThongError
from lienthong.hosts import nodestate
from lienthong.hosts.certificates import LIFE, Authority, sign, why_new
from lienthong.hosts.deploying import _PLACE, File, Folder, differs, render
from lienthong.hosts.nodestate import FileState
from lienthong.hosts.packetfilter import COMMENT_LENGTH, filter_of, networks, statement
from lienthong.inventory import load
from lienthong.model.intent import End, Flow, Node, ProvincePlan, Rule
from lienthong.model.secret import Secret
from lienthong.model.words import Side
from lienthong.plan.build import build
from lienthong.plan.policy import forward_rules, input_rules
from lienthong.secrets.wireguard import public_key

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan() -> ProvincePlan:
    return build(load(ROOT / "inventory"))


def rendered(plan: ProvincePlan, name: str) -> str:
    found = filter_of(plan, plan.nodes[name])
    parts = [
        render("firewall/00-base.nft.j2", filter=found, management_interfaces='{ "mgmt0" }'),
        render("firewall/50-policy.nft.j2", filter=found),
    ]
    if found.conference:
        parts.append(render("firewall/60-qos.nft.j2", filter=found))
    return "\n".join(parts)


def test_every_flow_of_a_gateway_is_a_rule_with_its_id(plan: ProvincePlan) -> None:
    gateway = plan.nodes["loc-ninh-gw-wan"]
    text = rendered(plan, gateway.name)
    rules = [*input_rules(plan, gateway), *forward_rules(plan, gateway)]
    assert rules
    for rule in rules:
        assert f'comment "{rule.flow.id[:COMMENT_LENGTH]}"' in text


def test_only_gateways_have_forwarding_rules_and_policy_drops(plan: ProvincePlan) -> None:
    host = rendered(plan, "loc-ninh-srv")
    assert "type filter hook input priority filter; policy drop;" in host
    assert "type filter hook forward priority filter; policy drop;" in host
    assert "jump policy_forward" not in host
    assert "jump policy_forward" in rendered(plan, "loc-ninh-gw-wan")


def test_sources_are_tied_to_their_segment(plan: ProvincePlan) -> None:
    text = rendered(plan, "loc-ninh-gw-wan")
    prefix = plan.sites["loc-ninh"].segments["users"].prefix
    assert f'iifname "vlan10" ip saddr != {{ {prefix} }}' in text


def test_calls_are_marked_on_wan_gateways_only(plan: ProvincePlan) -> None:
    assert "ip dscp set ef" in rendered(plan, "loc-ninh-gw-wan")
    assert "ip dscp set ef" not in rendered(plan, "loc-ninh-gw-net")
    assert "ip dscp set ef" not in rendered(plan, "loc-ninh-srv")


def test_without_management_interfaces_nothing_speaks_of_them(plan: ProvincePlan) -> None:
    found = filter_of(plan, plan.nodes["loc-ninh-srv"])
    assert "mgmt" not in render("firewall/00-base.nft.j2", filter=found, management_interfaces="")


def rule_of(**changes: object) -> Rule:
    end = End("a/users", (IPv4Network("10.0.0.0/24"),))
    flow = Flow("x.y.tcp443", Side.WAN, end, end, "tcp", ((443, 443),), "reason", "matrix")
    rule = Rule(flow, ("vlan10",), ("tslcd-a", "tslcd-b"), end.networks, (IPv4Network("10.1.0.0/24"),))
    return replace(rule, **changes)  # type: ignore[arg-type]


def test_a_rule_is_one_statement() -> None:
    assert statement(rule_of()) == (
        'iifname { "vlan10" } oifname { "tslcd-a", "tslcd-b" } ip saddr { 10.0.0.0/24 } '
        'ip daddr { 10.1.0.0/24 } tcp dport { 443 } counter accept comment "x.y.tcp443"'
    )


def test_anywhere_needs_no_address_and_ranges_are_kept() -> None:
    rule = rule_of(dst=(IPv4Network("0.0.0.0/0"),))
    flow = replace(rule.flow, proto="udp", ports=((10000, 20000), (53, 53)))
    text = statement(replace(rule, flow=flow))
    assert "ip daddr" not in text
    assert "udp dport { 53, 10000-20000 }" in text


def test_a_long_id_is_cut_to_what_nftables_takes() -> None:
    rule = rule_of()
    text = statement(replace(rule, flow=replace(rule.flow, id="x" * 300)))
    assert text.count("x") == COMMENT_LENGTH


def test_networks_do_not_overlap() -> None:
    found = networks([IPv4Network("10.0.0.0/24"), IPv4Network("10.0.0.7/32"), IPv4Network("10.0.1.0/24")])
    assert found == "{ 10.0.0.0/23 }"


def test_a_missing_value_is_an_error(plan: ProvincePlan) -> None:
    with pytest.raises(UndefinedError):
        render("firewall/00-base.nft.j2", filter=filter_of(plan, plan.nodes["loc-ninh-srv"]))


# --- certificates


def authority(name: str = "ca") -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=999))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def request(key: ec.EllipticCurvePrivateKey, name: str = "anything") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM).decode()


def public_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


@pytest.fixture
def node(plan: ProvincePlan) -> Node:
    return plan.nodes["loc-ninh-srv"]


def test_names_come_from_the_plan_and_not_from_the_request(node: Node) -> None:
    ca, key = authority(), ec.generate_private_key(ec.SECP256R1())
    signed = sign(request(key, "evil.example.net"), node, ca, NOW)
    certificate = x509.load_pem_x509_certificate(signed.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert node.fqdn in names.get_values_for_type(x509.DNSName)
    assert "evil" not in str(certificate.subject) + str(names)
    assert why_new(signed, public_pem(key), node, ca, NOW) == ""


def test_why_a_certificate_is_renewed(node: Node, plan: ProvincePlan) -> None:
    ca, key, other = authority(), ec.generate_private_key(ec.SECP256R1()), authority("ca")
    signed = sign(request(key), node, ca, NOW)
    mine = public_pem(key)
    assert why_new(signed, "", node, ca, NOW) == "no key"
    assert why_new("", mine, node, ca, NOW) == "no certificate"
    assert (
        why_new(signed, public_pem(ec.generate_private_key(ec.SECP256R1())), node, ca, NOW) == "another key"
    )
    assert why_new(signed, mine, node, other, NOW) == "another authority"
    assert why_new(signed, mine, plan.nodes["loc-ninh-vc"], ca, NOW) == "another name"
    assert why_new(signed, mine, node, ca, NOW + LIFE * 0.6) == ""
    assert "third" in why_new(signed, mine, node, ca, NOW + LIFE * 0.7)
    assert "third" in why_new(signed, mine, node, ca, NOW - timedelta(days=2))


def test_what_is_no_request_is_not_signed(node: Node) -> None:
    with pytest.raises(LienThongError):
        sign("hello", node, authority(), NOW)


# --- WireGuard


def test_public_key_is_the_one_of_rfc_7748() -> None:
    private = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    public = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    assert public_key(Secret(b64encode(private).decode())) == b64encode(public).decode()


def test_a_bad_key_says_so_without_showing_it() -> None:
    with pytest.raises(LienThongError) as caught:
        public_key(Secret("not a key"))
    assert "not a key" not in str(caught.value)


# --- node state and files


def test_state_is_read_from_what_the_script_prints() -> None:
    state = nodestate.parse(
        [
            "#files",
            "f 640 root adm 1700000000.5 /etc/rsyslog.d/20 lien.conf",
            "l 777 root root 1700000000.5 /etc/systemd/system/multi-user.target.wants/chrony.service",
            "d 755 root root 1.0 /etc/kea",
            "#sums",
            "ab12  /etc/rsyslog.d/20 lien.conf",
            "#units",
            "Id=chrony.service|ActiveState=active|StateChangeTimestamp=Sun 2026-11-22 22:03:55.123456 UTC",
            "Id=kea.service|ActiveState=failed|StateChangeTimestamp=",
            "#packages",
            "chrony",
            "#groups",
            "adm:syslog,lienthong",
            "#users",
            "kea:/var/lib/kea",
            "#filter",
            "same",
            "#key",
            "#certificate",
            "-----BEGIN",
            "x",
        ]
    )
    assert state.files["/etc/rsyslog.d/20 lien.conf"] == FileState(
        "f", 0o640, "root", "adm", 1700000000.5, "ab12"
    )
    assert state.is_enabled("chrony.service")
    assert not state.is_enabled("kea.service")
    assert state.units["chrony.service"].active
    assert state.units["chrony.service"].since == pytest.approx(1795385035.123456)
    assert not state.units["kea.service"].active
    assert state.groups["adm"] == ("syslog", "lienthong")
    assert state.filter_differs is False
    assert state.public_key == ""
    assert state.certificate == "-----BEGIN\nx"


def test_an_unknown_filter_counts_as_different() -> None:
    assert nodestate.parse(["#filter"]).filter_differs
    assert nodestate.parse(["#filter", "differs"]).filter_differs


def test_a_file_differs_by_content_mode_owner_or_kind() -> None:
    file = File("/etc/x", "hello\n", mode="0640", group="adm")
    digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    same = FileState("f", 0o640, "root", "adm", 0.0, digest)
    assert not differs(file, same)
    assert differs(file, None)
    for change in ({"mode": 0o644}, {"user": "me"}, {"group": "root"}, {"sha256": "00"}, {"kind": "l"}):
        assert differs(file, replace(same, **change))
    assert not differs(Folder("/srv"), FileState("d", 0o755, "root", "root", 0.0, ""))
    assert differs(Folder("/srv"), same)


def test_a_file_does_not_show_its_content() -> None:
    assert "hello" not in repr(File("/etc/x", "hello\n"))


@pytest.mark.parametrize("mode", ["0700", "2750", "0755"])
def test_a_folder_has_the_mode_it_was_given_below_one_with_the_groups_bit(tmp_path: Path, mode: str) -> None:
    above, here = tmp_path / "above", tmp_path / "above" / "here"
    above.mkdir()
    above.chmod(0o2755)
    subprocess.run(["sh", "-c", _PLACE], input=f"d {mode} root:root {here} -\n", text=True, check=True)
    assert f"{here.stat().st_mode & 0o7777:04o}" == mode
