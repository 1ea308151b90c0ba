"""Every check that is a pure function of facts passes on a recording of a good system and fails on a spoilt one.

The recordings were taken in the lab (`python -m tests.unit.test_controls NODE…` writes them anew).
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lienthong.audit.catalogue import load
from lienthong.checks import NotApplicable, mark_of
from lienthong.facts import Facts, nft
from lienthong.facts.facts import FactMissing, Section
from lienthong.model.intent import ProvincePlan
from lienthong.model.words import Target
from lienthong.plan.policy import forward_rules, input_rules
from lienthong.root import find_root
from lienthong.target import Access
from lienthong.workspace import Workspace

ROOT = find_root(Path(__file__).parent)
RECORDINGS = ROOT / "tests" / "recordings"
SRV, GW, SW = "loc-ninh-srv", "loc-ninh-gw-wan", "loc-ninh-sw-wan"

Spoil = Callable[[str], str]


def swap(pattern: str, by: str) -> Spoil:
    """Replaces what a pattern finds; it must find something, else nothing was spoilt."""

    def spoil(text: str) -> str:
        spoilt, count = re.subn(pattern, by, text, flags=re.MULTILINE)
        assert count, f"{pattern} is not in the recording"
        return spoilt

    return spoil


def add(line: str) -> Spoil:
    return lambda text: f"{text.rstrip()}\n{line}\n"


def edit_nft(change: Callable[[list[Any]], None]) -> Spoil:
    def spoil(text: str) -> str:
        raw = json.loads(text)
        change(raw["nftables"])
        return json.dumps(raw)

    return spoil


def any_any(rules: list[Any]) -> None:
    rules.append(
        {
            "rule": {
                "family": "inet",
                "table": "lienthong",
                "chain": "forward",
                "handle": 999,
                "expr": [{"accept": None}],
            }
        }
    )


def open_policy(rules: list[Any]) -> None:
    for entry in rules:
        if entry.get("chain", {}).get("hook") == "input":
            entry["chain"]["policy"] = "accept"


def without(comment: str) -> Callable[[list[Any]], None]:
    def change(rules: list[Any]) -> None:
        before = len(rules)
        rules[:] = [r for r in rules if not r.get("rule", {}).get("comment", "").startswith(comment)]
        assert len(rules) < before

    return change


def masquerade(rules: list[Any]) -> None:
    oif = {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": "tslcd-a"}}
    rules.append(
        {
            "rule": {
                "family": "ip",
                "table": "x",
                "chain": "y",
                "comment": "nat.x",
                "expr": [oif, {"masquerade": None}],
            }
        }
    )


#: file, function, node, section, how it is spoilt
# ruff: noqa: E501 - a table reads best with a line for each case
CASES: tuple[tuple[str, str, str, str, Spoil], ...] = (
    ("baseline", "test_ssh_lets_in_keys_only", SRV, "sshd", swap("^permitrootlogin .*", "permitrootlogin yes")),
    ("baseline", "test_ssh_lets_in_keys_only", SRV, "sshd", swap("^passwordauthentication .*", "passwordauthentication yes")),
    ("baseline", "test_ssh_lets_in_keys_only", SRV, "sshd", swap("^ciphers ", "ciphers aes128-cbc,")),
    ("baseline", "test_root_has_no_key", SRV, "authorized_keys", add("root\tssh-ed25519\t")),
    ("baseline", "test_passwords_must_be_long", SRV, "pwquality", swap(r"^minlen\s*=.*", "minlen = 8")),
    ("baseline", "test_failed_passwords_lock", SRV, "faillock", swap(r"^deny\s*=.*", "deny = 50")),
    ("baseline", "test_failed_passwords_lock", SRV, "pam", swap("pam_faillock.so", "pam_permit.so")),
    ("baseline", "test_passwords_end", SRV, "login_defs", swap(r"^PASS_MAX_DAYS.*", "PASS_MAX_DAYS 99999")),
    ("baseline", "test_passwords_end", SRV, "shadow", add("eve:set:19000:99999")),
    ("baseline", "test_idle_sessions_end", SRV, "profile", swap(r"TMOUT=\d+", "TMOUT=3600")),
    ("baseline", "test_idle_sessions_end", SRV, "sshd", swap("^clientaliveinterval .*", "clientaliveinterval 0")),
    ("baseline", "test_accounts_are_known", SRV, "passwd", add("toor:x:0:0::/root:/bin/sh")),
    ("baseline", "test_accounts_are_known", SRV, "authorized_keys", add("lienthong-fetch\tssh-ed25519\t")),
    ("baseline", "test_sudo_is_logged", SRV, "sudoers", swap("logfile", "nofile")),
    ("baseline", "test_only_declared_ports_listen", SRV, "sockets",
     add('tcp LISTEN 0 5 0.0.0.0:8000 0.0.0.0:* users:(("python3",pid=1,fd=3))')),
    ("baseline", "test_hosts_forward_nothing", SRV, "sysctl", swap("^net.ipv4.ip_forward = 0", "net.ipv4.ip_forward = 1")),
    ("baseline", "test_time_is_kept", SRV, "processes", swap("^chronyd$", "")),
    ("baseline", "test_time_is_kept", SRV, "processes", add("ntpd")),
    ("baseline", "test_time_is_kept", SRV, "chrony_sources", add("^,?,192.0.2.123,0,6,0,0,0,0,0")),
    ("baseline", "test_certificates_are_in_order", SRV, "certificates", swap(r"DNS:srv\.", "DNS:other.")),
    ("baseline", "test_certificates_are_in_order", SRV, "certificates", swap(r"notAfter=[^\\]*", "notAfter=Jan  1 00:00:00 2025 GMT")),
    ("baseline", "test_no_failed_units", SRV, "units", add("x.service loaded failed failed X")),
    ("firewall", "test_no_rule_lets_anything_pass", GW, "nft", edit_nft(any_any)),
    ("firewall", "test_nothing_comes_in_by_default", SRV, "nft", edit_nft(open_policy)),
    ("firewall", "test_sources_are_checked_where_they_come_in", GW, "nft", edit_nft(without("source.vlan10"))),
    ("firewall", "test_translation_equals_the_plan", GW, "nft", edit_nft(masquerade)),
    ("gear", "test_no_system_has_a_leg_in_each_side", SRV, "addresses", swap(r"10\.0\.41\.10", "10.128.41.10")),
    ("gear", "test_no_system_has_a_leg_in_each_side", GW, "routes", swap('^\\[', '[{"dst": "10.128.40.0/21", "dev": "leak0"},')),
    ("gear", "test_no_plain_text_management", SW, "sockets",
     add('tcp LISTEN 0 5 0.0.0.0:23 0.0.0.0:* users:(("telnetd",pid=1,fd=3))')),
    ("gear", "test_a_warning_greets_who_logs_in", SRV, "issue_net", lambda _: "Debian GNU/Linux"),
    ("gear", "test_gear_does_not_redirect_or_answer_for_others", SW, "sysctl", swap("^net.ipv4.ip_forward = 0", "net.ipv4.ip_forward = 1")),
    ("gear", "test_vlans_equal_the_plan", SW, "ovs_ports", swap(r'\["set",\[10,20,30,35,40\]\]', '["set",[10,20,30,40]]')),
    ("gear", "test_unused_ports_are_shut_and_parked", SW, "ovs_ports", swap("999", "10")),
    ("gear", "test_every_line_has_its_neighbour", GW, "ospf_neighbours", swap("Full", "Init")),
    ("gear", "test_every_line_has_its_neighbour", GW, "bfd", swap('"status": ?"up"', '"status":"down"')),
    ("gear", "test_routing_is_authenticated", GW, "frr", swap("^ ip ospf authentication message-digest\n", "")),
    ("logs", "test_logs_leave_encrypted", SRV, "logs", swap('"peer": ".*"', '"peer": "evil.example"')),
    ("logs", "test_logs_leave_encrypted", SRV, "logs", swap(' "authority": .*', "")),
    ("logs", "test_logs_leave_encrypted", SRV, "rsyslog", add('action(type="omfwd" target="10.0.1.10" protocol="udp")')),
    ("logs", "test_logs_leave_encrypted", SRV, "units", swap("^lienthong-logs.service.*", "")),
    ("dhcp", "test_leases_are_logged", GW, "units", swap("^kea-dhcp4-server.service.*", "")),
)  # fmt: skip


@cache
def topic(name: str) -> ModuleType:
    """A file of checks, loaded by its path: content is no package."""
    spec = importlib.util.spec_from_file_location(f"checks_{name}", ROOT / "checks" / f"test_{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its own module up
    spec.loader.exec_module(module)
    return module


@cache
def plan() -> ProvincePlan:
    return Workspace(ROOT, "live").plan


def recorded(node: str) -> Facts:
    return Facts.from_json(node, (RECORDINGS / f"{node}.json").read_text(encoding="utf-8"))


def spoilt(facts: Facts, section: str, spoil: Spoil) -> Facts:
    old = facts.section(section)
    return Facts(facts.node, {**facts.sections, section: Section(old.rc, spoil(old.out))})


def lab_access() -> Access:
    """A target of the lab's kind, in which every node of two sites runs."""
    addresses = {
        name: node.address for name, node in plan().nodes.items() if node.site in {"tinh-uy", "loc-ninh"}
    }
    return Access(Target.LAB, ROOT, "lienthong", "netadm", ROOT, ROOT, addresses, ROOT)


def check(file: str, name: str, facts: Facts) -> None:
    """Run one check as the plugin does."""
    function = getattr(topic(file), name)
    node = plan().nodes[facts.node]
    shelf = {
        "facts": facts, "node": node, "plan": plan(), "access": lab_access(), "site": plan().sites[node.site],
        "evidence": lambda _: None,
    }  # fmt: skip
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    function(**{name: shelf[name] for name in wanted})


@pytest.mark.parametrize(("file", "name", "node"), sorted({case[:3] for case in CASES}))
def test_a_good_system_passes(file: str, name: str, node: str) -> None:
    check(file, name, recorded(node))


@pytest.mark.parametrize(("file", "name", "node", "section", "spoil"), CASES)
def test_a_spoilt_system_fails(file: str, name: str, node: str, section: str, spoil: Spoil) -> None:
    with pytest.raises(AssertionError):
        check(file, name, spoilt(recorded(node), section, spoil))


def test_what_this_kernel_cannot_show_does_not_apply() -> None:
    facts = recorded(SRV)
    with pytest.raises(NotApplicable, match=r"^kernel: "):
        check("baseline", "test_the_kernel_records", facts)
    said = "modprobe: FATAL: Module usb-storage not found in directory /lib/modules/6.1"
    without = Facts(SRV, {"kernel_modules": Section(1, said)})
    with pytest.raises(NotApplicable, match=r"^kernel: "):
        check("baseline", "test_usb_storage_is_off", without)
    policy = Section(0, (ROOT / "roles/usb/vars/main.yml").read_text().replace("        ", ""))
    for_container = Facts(SRV, {"usbguard": policy, "container": Section(0, "systemd-nspawn\n")})
    with pytest.raises(NotApplicable, match=r"^kernel: "):
        check("baseline", "test_usb_devices_are_let_in_by_rule", for_container)
    with pytest.raises(AssertionError, match="InsertedDevicePolicy is allow"):  # in a container too
        spoil = swap("^InsertedDevicePolicy=.*", "InsertedDevicePolicy=allow")
        check("baseline", "test_usb_devices_are_let_in_by_rule", spoilt(for_container, "usbguard", spoil))


def test_with_a_kernel_that_can_the_same_checks_decide() -> None:
    facts = recorded(SRV)
    sections = dict(facts.sections)
    sections["audit"] = Section(0, "enabled 1\nfailure 1\n")
    sections["processes"] = Section(0, facts.text("processes") + "\nauditd")
    sections["kernel_modules"] = Section(0, "install /bin/false")
    good = Facts(SRV, sections)
    check("baseline", "test_the_kernel_records", good)
    check("baseline", "test_usb_storage_is_off", good)
    with pytest.raises(AssertionError):
        check("baseline", "test_the_kernel_records", spoilt(good, "audit", swap("enabled 1", "enabled 0")))
    with pytest.raises(AssertionError):
        check(
            "baseline",
            "test_usb_storage_is_off",
            spoilt(good, "kernel_modules", lambda _: "insmod usb-storage.ko"),
        )


def test_usb_devices_that_nobody_let_in_are_blocked() -> None:
    name = "test_usb_devices_are_let_in_by_rule"
    policy = (ROOT / "roles/usb/vars/main.yml").read_text().replace("        ", "")
    good = Facts(SRV, {
        "usbguard": Section(0, policy),
        "container": Section(1, "none\n"),
        "processes": Section(0, "sshd\nusbguard-daemon\n"),
    })  # fmt: skip
    check("baseline", name, good)
    for key in (
        "ImplicitPolicyTarget",
        "PresentDevicePolicy",
        "PresentControllerPolicy",
        "InsertedDevicePolicy",
    ):
        for bad in (f"{key}=allow", f"{key}=keep", ""):
            with pytest.raises(AssertionError, match=key):
                check("baseline", name, spoilt(good, "usbguard", swap(f"^{key}=.*", bad)))
    with pytest.raises(AssertionError, match="does not run"):
        check("baseline", name, spoilt(good, "processes", swap("usbguard-daemon", "")))


@pytest.mark.parametrize(("line", "holds"), [("active waiting", True), ("inactive dead", False), ("", False)])
def test_packages_are_compared_on_a_timer(line: str, holds: bool) -> None:
    told = (
        f"package-files.timer loaded {line} Compare\n" if line else "ssh.service loaded active running ssh\n"
    )
    facts = Facts(SRV, {"units": Section(0, told)})
    if holds:
        check("baseline", "test_packages_are_compared", facts)
    else:
        with pytest.raises(AssertionError):
            check("baseline", "test_packages_are_compared", facts)


def live_of(accept: nft.Accept, chain: str) -> dict[str, Any]:
    """A rule of the plan as the kernel would tell it."""

    def match(left: dict[str, Any], right: list[Any]) -> dict[str, Any]:
        return {"match": {"op": "==", "left": left, "right": {"set": right} if len(right) > 1 else right[0]}}

    def ip(field: str, networks: frozenset[Any]) -> dict[str, Any]:
        prefixes = [{"prefix": {"addr": str(n.network_address), "len": n.prefixlen}} for n in networks]
        return match({"payload": {"protocol": "ip", "field": field}}, prefixes)

    parts = []
    for key, names in (("iifname", accept.iif), ("oifname", accept.oif)):
        if names:
            parts.append(match({"meta": {"key": key}}, sorted(names)))
    if accept.src:
        parts.append(ip("saddr", accept.src))
    if accept.dst:
        parts.append(ip("daddr", accept.dst))
    if accept.proto == "icmp":
        parts.append(match({"payload": {"protocol": "icmp", "field": "type"}}, ["echo-request"]))
    elif accept.proto == "ospf":
        parts.append(match({"payload": {"protocol": "ip", "field": "protocol"}}, ["ospf"]))
    else:
        spans = [low if low == high else {"range": [low, high]} for low, high in sorted(accept.ports)]
        parts.append(match({"payload": {"protocol": accept.proto, "field": "dport"}}, spans))
    parts += [{"counter": {"packets": 0, "bytes": 0}}, {"accept": None}]
    return {"rule": {"family": "inet", "table": "lienthong", "chain": chain, "expr": parts}}


@pytest.mark.parametrize("node", [SRV, GW])
def test_live_rules_are_compared_with_the_plan_one_by_one(node: str) -> None:
    """Rules made from the plan of today pass; each single one missing, and one more, fails."""
    where = plan().nodes[node]
    planned = [
        live_of(nft.expected(rule), chain)
        for chain, rules in (
            ("policy_input", input_rules(plan(), where)),
            ("policy_forward", forward_rules(plan(), where)),
        )
        for rule in rules
    ]

    def facts(rules: list[Any]) -> Facts:
        return Facts(node, {"nft": Section(0, json.dumps({"nftables": rules}))})

    name = "test_live_rules_equal_the_plan"
    check("firewall", name, facts(planned))
    for i, rule in enumerate(planned):
        if planned.count(rule) == 1:
            with pytest.raises(AssertionError):
                check("firewall", name, facts(planned[:i] + planned[i + 1 :]))
    with pytest.raises(AssertionError):
        check(
            "firewall",
            name,
            facts(
                [
                    *planned,
                    live_of(
                        nft.Accept(
                            frozenset(), frozenset(), frozenset(), frozenset(), "tcp", frozenset({(23, 23)})
                        ),
                        "policy_input",
                    ),
                ]
            ),
        )
    stray: list[Any] = list(planned)
    any_any(stray)
    with pytest.raises(AssertionError):
        check("firewall", name, facts(stray))


@pytest.mark.parametrize("node", [SRV, GW, SW])
def test_a_real_ruleset_is_understood(node: str) -> None:
    """No rule of the real thing has a part that the parser passes over, where something is let through."""
    rules = nft.rules(recorded(node).ruleset)
    assert len(rules) > 10
    policy = [rule for rule in rules if rule.chain.startswith("policy_")]
    assert policy and not [rule for rule in policy if rule.strange]


def test_a_missing_section_is_an_error_and_not_a_failure() -> None:
    with pytest.raises(FactMissing):
        check("baseline", "test_ssh_lets_in_keys_only", Facts(SRV, {}))


def test_every_check_has_its_line_in_the_catalogue() -> None:
    known = load(ROOT)
    used: set[str] = set()
    for path in sorted((ROOT / "checks").glob("test_*.py")):
        for value in vars(topic(path.stem.removeprefix("test_"))).values():
            mark = mark_of(value)
            if mark is not None:
                assert mark.control in known, f"{path.name}: {mark.control}"
                used.add(mark.control)
    assert len(used) >= 25


def test_the_catalogue_quotes_nothing_and_names_framework_edition_clause() -> None:
    for control in load(ROOT).values():
        for clause in control.mappings:
            assert re.fullmatch(r"[A-Z]{0,2}-?[\w.()-]+|art [\d.]+|App [\w.]+", clause.clause), clause
            assert clause.framework and clause.edition


if __name__ == "__main__":
    from lienthong.audit.session import CheckSession

    session = CheckSession(Workspace(ROOT, "lab"), ("loc-ninh",), False)
    session.open()
    RECORDINGS.mkdir(exist_ok=True)
    for one in sys.argv[1:] or [SRV, GW, SW]:
        (RECORDINGS / f"{one}.json").write_text(session.facts(one).to_json() + "\n", encoding="utf-8")
    session.close()
