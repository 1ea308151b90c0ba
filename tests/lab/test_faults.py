"""Faults, put in by hand: each is found by the control that should, and by no wrong one.

Faults of which every control belongs to one only are there together, so that one audit looks for all of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from lienthong.audit import run
from lienthong.lab.place import place
from lienthong.lab.state import read
from lienthong.lab.topology import derive
from lienthong.lab.wire import ip, set_isolation
from lienthong.model.finding import AuditRun, Finding, Status
from lienthong.workspace import Workspace
from tests.lab.conftest import NAME, ROOT, District

SITE = "loc-ninh"
BAD = {Status.FAIL, Status.ERROR}
GW_WAN, GW_NET, SW_WAN = "loc-ninh-gw-wan", "loc-ninh-gw-net", "loc-ninh-sw-wan"
SRV, VC, COLLECTOR = "loc-ninh-srv", "loc-ninh-vc", "tinh-uy-svc-wan"


@dataclass(frozen=True)
class Fault:
    """What is broken, and which controls must and may say so. Shell commands run as root on the node."""

    name: str
    must: frozenset[str]
    breaks: tuple[tuple[str, str], ...] = ()
    mends: tuple[tuple[str, str], ...] = ()
    may: frozenset[str] = frozenset()
    seen_after_s: float = 0.0
    """Until the district itself has noticed (a neighbour's time-out, a round of Prometheus)."""
    whole_again: tuple[tuple[str, str], ...] = field(default=())
    """Commands that succeed once the district has come back."""


def rule(chain: str, comment: str) -> str:
    """Shell that deletes the rule with that comment."""
    return (
        f"h=$(nft -a list chain inet lienthong {chain} | sed -n '/{comment}/s/.*handle //p');"
        f' test -n "$h" && nft delete rule inet lienthong {chain} handle $h'
    )


PKI = "/etc/lienthong/pki"
FULL = "vtysh -c 'show ip ospf neighbor' | grep -c Full/ | grep -qx 2"
RELOAD_FILTER = "nft -f /etc/nftables.conf"

FAULTS = (
    Fault(
        "a VLAN off a trunk",
        frozenset({"NET-01", "NET-02a"}),
        ((SW_WAN, "ovs-vsctl remove port e1 trunks 35"),),
        ((SW_WAN, "ovs-vsctl add port e1 trunks 35"),),
    ),
    Fault(
        "a filter rule gone",
        frozenset({"NET-02c", "NET-02a"}),
        ((GW_WAN, rule("policy_forward", "matrix.loc-ninh.scan.loc-ninh.servers.tcp22")),),
        ((GW_WAN, RELOAD_FILTER),),
    ),
    Fault(
        "a rule that lets everything pass",
        frozenset({"NET-03", "NET-02c", "NET-02b"}),
        ((GW_WAN, "nft insert rule inet lienthong forward counter accept"),),
        ((GW_WAN, RELOAD_FILTER),),
        frozenset({"NET-10"}),
    ),
    Fault(
        "root may log in by password",
        frozenset({"SRV-01"}),
        (
            (
                SRV,
                "cd /etc/ssh/sshd_config.d"
                " && printf 'PermitRootLogin yes\\nPasswordAuthentication yes\\n' > 00.conf"
                " && systemctl reload ssh",
            ),
        ),
        ((SRV, "rm /etc/ssh/sshd_config.d/00.conf && systemctl reload ssh"),),
    ),
    Fault(
        "the collector's certificate is for another name",
        frozenset({"DEV-10", "MON-02"}),
        (
            (
                COLLECTOR,
                f"cd {PKI} && cp -a node.crt node.crt.kept && cp -a node.key node.key.kept"
                f" && cat > node.crt < /tmp/other.crt && cat > node.key < /tmp/other.key"
                " && rm /tmp/other.crt /tmp/other.key && systemctl restart rsyslog",
            ),
        ),
        (
            (
                COLLECTOR,
                f"cd {PKI} && mv node.crt.kept node.crt && mv node.key.kept node.key"
                " && systemctl restart rsyslog",
            ),
        ),
        seen_after_s=3,
    ),
    Fault(
        "the vault's key to fetch is removed",
        frozenset({"BAK-05"}),
        ((SRV, "cd /var/lib/lienthong/fetch/.ssh && mv authorized_keys /root/fetch.kept"),),
        ((SRV, "mv /root/fetch.kept /var/lib/lienthong/fetch/.ssh/authorized_keys"),),
        frozenset({"BAK-01", "BAK-02", "BAK-04"}),
    ),
    Fault(
        "the endpoint is not registered",
        frozenset({"VC-02"}),
        ((VC, "systemctl stop baresip"),),
        ((VC, "systemctl start baresip"),),
        frozenset({"VC-01", "SRV-10"}),
        whole_again=(("tinh-uy-reg", "kamcmd ul.dump brief | grep -q 1005"),),
    ),
    Fault("management ports meet", frozenset({"LAB-01"})),
    Fault(
        "a wrong routing key on line b",
        frozenset({"NET-12"}),
        (
            (
                GW_WAN,
                "vtysh -c 'configure' -c 'interface tslcd-b' -c 'no ip ospf message-digest-key 1'"
                " -c 'ip ospf message-digest-key 1 md5 wrongwrongwrong'",
            ),
        ),
        (
            (
                GW_WAN,
                "vtysh -c 'configure' -c 'interface tslcd-b' -c 'no ip ospf message-digest-key 1'"
                " -c \"$(sed -n '/^interface tslcd-b/,/^exit/p' /etc/frr/frr.conf"
                " | grep -o 'ip ospf message.*key.*')\"",
            ),
        ),
        seen_after_s=7,
        whole_again=((GW_WAN, FULL),),
    ),
    Fault(
        "nobody leases addresses",
        frozenset({"DEV-14"}),
        ((GW_NET, "systemctl stop kea-dhcp4-server"),),
        ((GW_NET, "systemctl start kea-dhcp4-server"),),
    ),
    Fault(
        "nobody resolves names",
        frozenset({"NET-08"}),
        ((GW_WAN, "systemctl stop unbound"),),
        ((GW_WAN, "systemctl start unbound"),),
        frozenset({"SRV-10", "NET-02a"}),
    ),
    Fault(
        "another account with UID 0",
        frozenset({"SRV-07"}),
        ((SRV, "useradd -o -u 0 -g 0 -M -N toor"),),
        ((SRV, "sed -i '/^toor:/d' /etc/passwd /etc/shadow"),),
    ),
    Fault(
        "an exporter is stopped",
        frozenset({"MON-01"}),
        ((VC, "systemctl stop prometheus-node-exporter"),),
        ((VC, "systemctl start prometheus-node-exporter"),),
        frozenset({"MON-04", "SRV-10"}),
        seen_after_s=6,
    ),
    Fault(
        "a way between the sides",
        frozenset({"NET-04"}),
        (
            (GW_WAN, "ip address add 192.168.77.1/30 dev leak0; ip link set leak0 up"),
            (GW_NET, "ip address add 192.168.77.2/30 dev leak0; ip link set leak0 up"),
            (GW_WAN, "ip route add 10.128.40.0/21 via 192.168.77.2"),
            (GW_NET, "ip route add 10.0.40.0/21 via 192.168.77.1"),
        ),
        ((GW_WAN, "ip link delete leak0"),),
    ),
    Fault(
        "a line without its queues",
        frozenset({"VC-02"}),
        ((GW_WAN, "tc qdisc delete dev tslcd-a root"),),
        ((GW_WAN, "lienthong-qos start"),),
    ),
    Fault(
        "a community of SNMP, nobody looks for unknown devices, and other resolvers by TLS",
        frozenset({"DEV-09", "DEV-14", "NET-08", "NET-02b", "NET-02c"}),
        (
            (SW_WAN, "cd /etc/snmp && cp -p snmpd.conf kept && echo 'rocommunity public' >> snmpd.conf"),
            (SW_WAN, "systemctl restart snmpd"),
            (GW_NET, "systemctl stop lienthong-unknown-devices.path"),
            (GW_NET, "nft insert rule inet lienthong forward tcp dport 853 accept"),
        ),
        (
            (SW_WAN, "cd /etc/snmp && mv kept snmpd.conf && systemctl restart snmpd"),
            (GW_NET, f"systemctl start lienthong-unknown-devices.path; {RELOAD_FILTER}"),
        ),
        seen_after_s=2,
    ),
    Fault(
        "a host that asks a time server nobody approved",
        frozenset({"SRV-17", "DEV-11"}),  # and believes whatever answers for it
        ((SRV, "chronyc add server 192.0.2.123"),),
        ((SRV, "chronyc delete 192.0.2.123"),),
    ),
)


@pytest.fixture(scope="module")
def lab(district: District) -> Iterator[District]:
    """The provisioned district, known to this process as its lab."""
    before = os.environ.get("LIENTHONG_LAB")
    os.environ["LIENTHONG_LAB"] = NAME
    yield district
    if before is None:
        del os.environ["LIENTHONG_LAB"]
    else:
        os.environ["LIENTHONG_LAB"] = before


def audit() -> AuditRun:
    return run(Workspace(ROOT, "lab"), [SITE])


def bad(found: AuditRun) -> dict[str, list[Finding]]:
    """Failures and errors by control."""
    result: dict[str, list[Finding]] = {}
    for finding in found.findings:
        if finding.status in BAD:
            result.setdefault(finding.control, []).append(finding)
    return result


def words(found: dict[str, list[Finding]]) -> str:
    return "\n".join(
        f"{c}: {f.check} {f.node}: {f.status} {f.detail[:300]}" for c, fs in found.items() for f in fs
    )


def isolation(on: bool) -> None:
    here = place(ROOT)
    now = read(here)
    assert now is not None
    set_isolation(here, derive(Workspace(ROOT, "lab").plan, now.sites), on)


def cable_between_the_sides() -> None:
    """Somebody joins the two gateways of the site by a cable."""
    here = place(ROOT)
    ends = [f"netns {here.netns(name)}" for name in (GW_WAN, GW_NET)]
    ip([f"link add leak0 {ends[0]} type veth peer name leak0 {ends[1]}"])


def other_certificate(lab: District) -> None:
    """Brings the certificate of another system of the same authority to the collector."""
    for name in ("crt", "key"):
        text = lab.on("tinh-uy-reg", "cat", f"{PKI}/node.{name}")
        lab.on(COLLECTOR, "sh", "-c", f"umask 077; cat > /tmp/other.{name} <<'END'\n{text}END")


SPECIAL: dict[str, tuple[Callable[[District], None], Callable[[], None]]] = {
    "management ports meet": (lambda _: isolation(False), lambda: isolation(True)),
    "the collector's certificate is for another name": (other_certificate, lambda: None),
    "a way between the sides": (lambda _: cable_between_the_sides(), lambda: None),
}
BY_NAME = {fault.name: fault for fault in FAULTS}
#: No control that one of them must or may fail is another's.
TOGETHER = (
    (
        "a VLAN off a trunk",
        "root may log in by password",
        "another account with UID 0",
        "the collector's certificate is for another name",
    ),
    (
        "a filter rule gone",
        "the vault's key to fetch is removed",
        "nobody leases addresses",
        "an exporter is stopped",
    ),
    (
        "a rule that lets everything pass",
        "the endpoint is not registered",
        "a host that asks a time server nobody approved",
    ),
    ("management ports meet", "a wrong routing key on line b", "nobody resolves names"),
    ("a way between the sides", "a line without its queues"),
    ("a community of SNMP, nobody looks for unknown devices, and other resolvers by TLS",),
)


@pytest.mark.parametrize("names", TOGETHER, ids=lambda names: "; ".join(names))
def test_faults_are_found_by_the_right_controls(lab: District, names: tuple[str, ...]) -> None:
    faults = [BY_NAME[name] for name in names]
    with ExitStack() as mended:
        for fault in faults:
            before, after = SPECIAL.get(fault.name, (lambda _: None, lambda: None))
            before(lab)
            mended.callback(after)
            for node, shell in reversed(fault.mends):
                mended.callback(lab.on, node, "sh", "-c", shell)
            for node, shell in fault.breaks:
                lab.on(node, "sh", "-c", shell)
        time.sleep(max(fault.seen_after_s for fault in faults))
        found = bad(audit())
    for node, shell in [one for fault in faults for one in fault.whole_again]:
        deadline = time.monotonic() + 40
        while lab.run("lab", "exec", node, "--", "sh", "-c", shell).returncode:
            assert time.monotonic() < deadline, f"{node} did not come back: {shell}"
            time.sleep(1)
    must = frozenset[str]().union(*(fault.must for fault in faults))
    may = frozenset[str]().union(*(fault.may for fault in faults))
    assert must <= set(found), f"not found: {sorted(must - set(found))}\n{words(found)}"
    wrong = {name: seen for name, seen in found.items() if name not in must | may}
    assert not wrong, f"found by a wrong control:\n{words(wrong)}"
    errors = [f for seen in found.values() for f in seen if f.status is Status.ERROR]
    assert not errors, f"an error is no finding:\n{words({f.control: [f] for f in errors})}"


def test_every_fault_has_its_place_and_controls_of_its_own() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(BY_NAME)
    for names in TOGETHER:
        controls = [control for name in names for control in BY_NAME[name].must | BY_NAME[name].may]
        assert len(controls) == len(set(controls)), f"{names}: whose would {sorted(controls)} be?"


def test_mended_the_district_is_clean(lab: District) -> None:
    deadline = time.monotonic() + 60
    while found := bad(audit()):
        assert time.monotonic() < deadline, words(found)
        time.sleep(3)
