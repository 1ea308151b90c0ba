"""RouterOS: what it is told, what it makes of that, and that it comes back from every bad change."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from contextlib import suppress
from copy import copy, deepcopy
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.diff import compare, future
from lienthong.errors import LienThongError, Unreachable
from lienthong.guard import Management, Predicted, reasons
from lienthong.model.intent import Forwarding, StaticRoute
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.wanted import AaaServer
from lienthong.model.words import Role
from lienthong.platforms import Line, Lines, platform
from lienthong.platforms.dialects.routeros import ROUTEROS, parse
from lienthong.platforms.dialects.routeros_told import intended
from lienthong.platforms.dialects.routeros_words import item, quoted, rendered
from lienthong.platforms.undo import Arming, NotArmed, Rejected
from lienthong.platforms.undo.routeros import NAME, UNDO, arm, confirm, fire, pending
from lienthong.render import render
from lienthong.sim.vendors.mikrotik_routeros import VENDOR
from lienthong.sim.vendors.mikrotik_routeros.box import RouterOs
from lienthong.sim.vendors.mikrotik_routeros.shell import Console
from lienthong.transport.veil import Veil
from tests.boxes import CONTROLLER, ROOT, Drive, new_box, province, told

GOLDEN = ROOT / "tests" / "golden" / "gear"
ROLES = [Role.GATEWAY, Role.SWITCH]
ARMING = Arming(120, ROOT / "templates", "netadm")


class Store:
    """Every secret of a name of its own: two of one device never have the same value."""

    def __init__(self, salt: str = "") -> None:
        self.salt = salt

    def get(self, ref: SecretRef) -> Secret:
        return Secret("Xy7" + re.sub("[^a-z0-9]", "", str(ref)) + self.salt)

    def public(self, ref: SecretRef) -> str:
        return "Pub" + re.sub("[^a-z0-9]", "", str(ref))


class Routed(Drive):
    """A drive whose secrets differ."""

    box: RouterOs

    def __init__(self, role: Role, model: str | None = None, name: str | None = None) -> None:
        super().__init__(VENDOR, role, model)
        if name is not None:
            node = province().nodes[name]
            assert node.device is not None
            self.node = replace(node, device=replace(node.device, platform=self.kind.name, model=model))
            self.intended = render(told(self.node), self.kind, ROUTEROS, ROOT / "templates")
            self.box = cast(RouterOs, new_box(VENDOR, self.node))
        self.veil = Veil(Store(), self.intended)

    def type(self, *lines: str) -> str:
        """What an officer types by hand, outside the tool."""
        console = Console(self.box, "officer")
        return "".join(console.line(line) for line in lines)

    def by_console(self) -> tuple[str, ...]:
        """What is left to type, seen from the console: also of a device that the tool is locked out of."""
        running = parse(self.veil.conceal(self.type(ROUTEROS.show)))
        diff = compare(ROUTEROS, self.intended, running)
        assert "another" not in " ".join(diff.told)
        return ROUTEROS.commands(diff.removed, diff.added)


@cache
def _brought(role: Role) -> Routed:
    drive = Routed(role)
    drive.bring()
    return drive


def brought(role: Role) -> Routed:
    """A device of its own that has gone the whole way."""
    drive = copy(_brought(role))
    drive.box = deepcopy(drive.box)
    drive.veil = Veil(Store(), drive.intended)
    return drive


def without(lines: Lines, *words: str) -> Lines:
    found = tuple(line for line in lines if not all(word in line[0] for word in words))
    assert found != lines, words
    return found


def changed(lines: Lines, old: str, new: str) -> Lines:
    found = tuple((line[0].replace(old, new),) for line in lines)
    assert found != lines, old
    return found


# ---- what is told


@pytest.mark.parametrize("name", ["loc-ninh-gw-wan", "loc-ninh-sw-wan", "loc-ninh-gw-net"])
def test_a_device_is_told_what_the_golden_file_says(name: str) -> None:
    node = province().nodes[name]
    assert node.device is not None
    model = "MikroTik CRS326" if "-sw-" in name else "MikroTik RB4011"
    node = replace(node, device=replace(node.device, platform="mikrotik-routeros", model=model))
    lines = render(told(node), platform("mikrotik-routeros"), ROUTEROS, ROOT / "templates")
    text = "\n".join(line[0] for line in lines) + "\n"
    golden = GOLDEN / f"{name}.routeros.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["loc-ninh-gw-net", "loc-ninh-sw-net", "tinh-uy-gw-wan", "tinh-uy-gw-net", "tinh-uy-sw-wan"]
)
def test_every_kind_of_device_takes_what_it_is_told(name: str) -> None:
    drive = Routed(Role.SWITCH if "-sw-" in name else Role.GATEWAY, name=name)
    changes = drive.by_console()
    assert not any(drive.type(drive.veil.reveal(command)) for command in changes)
    assert drive.by_console() == ()


def test_rules_bear_their_flow_and_the_last_one_drops_and_logs() -> None:
    lines = [line[0] for line in Routed(Role.GATEWAY).intended]
    flows = {rule.flow.id for rule in told(Routed(Role.GATEWAY).node).forward}
    assert flows
    assert all(any(f"forward/{flow}" in line for line in lines) for flow in flows)
    forward = [line for line in lines if "/ip firewall filter" in line and "chain=lienthong-forward" in line]
    assert "action=drop" in forward[-1]
    assert "log=yes" in forward[-1]


def test_what_this_inventory_does_not_ask_for_is_told_too_and_taken() -> None:
    drive = Routed(Role.GATEWAY)
    want = told(drive.node)
    server = IPv4Address("10.0.1.20")
    want = replace(
        want,
        plane=replace(
            want.plane,
            aaa=(
                AaaServer(server + 1, "tacacs", SecretRef("aaa/wan")),
                AaaServer(server, "radius", SecretRef("aaa/wan")),
            ),
        ),
        leases=tuple(replace(one, servers=(server,)) for one in want.leases),
        forwarding=Forwarding((), (("tslcd-a", "tcp", 443, server),)),
        device=replace(
            want.device,
            routes=(
                StaticRoute(IPv4Network("10.9.0.0/16"), IPv4Address("172.16.0.40")),
                StaticRoute(IPv4Network("10.9.0.0/16"), IPv4Address("172.16.0.42"), 200),
            ),
        ),
    )
    drive.intended = render(want, drive.kind, ROUTEROS, ROOT / "templates")
    drive.veil = Veil(Store(), drive.intended)
    text = "\n".join(line[0] for line in drive.intended)
    for said in (
        'secret="<secret aaa/wan>" service=login', "/user aaa set use-radius=yes", "distance=200",
        "/ip dhcp-relay add dhcp-server=10.0.1.20", "action=dst-nat chain=dstnat",
    ):  # fmt: skip
        assert said in text
    assert text.count("/radius add") == 1
    assert "/ip pool" not in text
    drive.bring()
    assert drive.diff().told == ()
    drive.bring(Routed(Role.GATEWAY).intended)  # and all of it goes again


def test_no_secret_is_rendered_and_every_line_to_the_office_is_authenticated() -> None:
    lines = [line[0] for line in Routed(Role.GATEWAY).intended]
    lines = [line for line in lines if "interface-template" in line and "passive" not in line]
    assert len(lines) == 2
    assert all("auth=md5" in line and 'auth-key="<secret ospf/loc-ninh>"' in line for line in lines)
    assert all("use-bfd=yes" in line for line in lines)


# ---- the whole way


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("model", [None, *platform("mikrotik-routeros").models])
def test_an_empty_device_is_brought_to_its_intent_and_then_nothing_is_left(
    role: Role, model: str | None
) -> None:
    drive = Routed(role, model)
    assert drive.diff().added
    drive.bring()
    assert drive.diff().told == ()
    assert drive.box.answers(CONTROLLER)
    assert not drive.box.files
    assert not drive.box.store.rows("/system scheduler")
    if role is Role.SWITCH:  # the one of day 0 became the plan's
        (route,) = drive.box.store.rows("/ip route")
        assert route.get("comment").startswith("lienthong:")


@pytest.mark.parametrize(
    ("old", "new", "most"),
    [
        ('comment="users"', 'comment="canteen"', 1),
        ("ranges=10.0.40.100-10.0.40.199", "ranges=10.0.40.120-10.0.40.199", 1),
        ("address=10.0.40.1/24", "address=10.0.40.3/24", 1),
        ("cost=100", "cost=200", 1),
        ("dst-port=161", "dst-port=162", 5),
        ("vlan-id=35", "vlan-id=36", 1),
        ("10.0.1.10 target", "10.0.1.11 target", 1),
    ],
)
def test_a_change_changes_only_that(old: str, new: str, most: int) -> None:
    role = Role.SWITCH if "users" in old and "=" in old and "10" not in old else Role.GATEWAY
    drive = brought(role)
    before = drive.box.configuration().splitlines()
    diff = drive.bring(changed(drive.intended, old, new))
    assert 1 <= len(diff.added) <= most
    typed = ROUTEROS.commands(diff.removed, diff.added)
    assert all(" set " in line for line in typed), typed  # never missing in between
    after = drive.box.configuration().splitlines()
    assert len(set(before) ^ set(after)) <= 2 * most
    assert len(before) == len(after)


def test_a_rule_more_stands_before_the_one_that_drops() -> None:
    drive = Routed(Role.GATEWAY)
    rest = without(drive.intended, "lienthong:forward/backup")
    drive.bring(rest)
    drive.bring()
    rules = [
        row for row in drive.box.store.rows("/ip firewall filter") if row.get("chain") == "lienthong-forward"
    ]
    assert rules[-1].get("action") == "drop"
    assert any(row.get("comment").startswith("lienthong:forward/backup") for row in rules[:-1])


@pytest.mark.parametrize(
    "typed",
    [
        '/ip firewall filter add chain=input action=drop; '
        '/ip firewall filter move [find comment=""] destination=0',
        "/ip firewall filter move [find comment=\"lienthong:last/lienthong-forward\"] destination=0",
        "/ip firewall filter add chain=lienthong-forward action=accept",
        "/ip firewall address-list add list=lienthong-other address=10.9.9.9",
        "/ip firewall filter disable [find comment~\"lienthong:last\"]",
        "/interface vlan set vlan20 mtu=1400",
        "/ip address set [find interface=vlan20] disabled=yes",
        "/snmp set enabled=no",
        "/user set netadm inactivity-timeout=5m",
        "/user disable console",
        "/ip address add address=192.168.77.1/24 interface=vlan20",
        "/interface bridge add name=old; /interface bridge port add bridge=old interface=trunk0",
        "/user set console group=full",
        '/ip firewall filter set [find comment="lienthong:ssh/10.0.4.0/24"] src-port=5',
        '/routing ospf interface-template set [find comment="lienthong:ospf/tslcd-b"] passive',
        "/user ssh-keys remove [find user=netadm]",
        "/system identity set name=somebody",
        "/interface ethernet set tslcd-a disabled=yes",
        "/routing ospf interface-template set [find cost=100] auth-key=another",
        "/snmp community set lienthong authentication-password=another77",
        "/ip service enable telnet",
    ],
)  # fmt: skip
def test_what_somebody_changed_is_noticed_and_put_right(typed: str) -> None:
    drive = brought(Role.GATEWAY)
    assert drive.type(typed) == ""
    changes = drive.by_console()
    assert changes
    assert not any(drive.type(drive.veil.reveal(command)) for command in changes)
    assert drive.diff().told == ()
    assert drive.box.answers(CONTROLLER)


@pytest.mark.parametrize(
    "secret", ["ospf/loc-ninh", "snmp-auth/loc-ninh-gw-wan", "snmp-priv/loc-ninh-gw-wan"]
)
def test_a_secret_that_changed_is_noticed_and_its_old_value_is_not_told(secret: str) -> None:
    drive = brought(Role.GATEWAY)
    drive.veil._secrets[secret] = Secret("Anew99")
    diff = drive.diff()
    assert diff
    assert "Xy7" not in " ".join(diff.told)
    drive.bring()
    assert drive.diff().told == ()
    assert "Anew99" in drive.box.configuration()


# ---- history


def history(seed: int) -> str:
    """500 lines of other people: menus that the plan uses, menus that it does not, texts of every kind."""
    rng = random.Random(seed)
    words = [
        "kho",
        'say "hi"',
        "a;b",
        "50% off",
        "$HOME",
        "[find]",
        "{x}",
        "tab\there",
        "\u0110\u1ed3ng",
        "#1",
        "lien",
    ]
    lines = []
    for number in range(500):
        text = f"{rng.choice(words)} {number}"
        comment = quoted(text)
        a, b = rng.randrange(256), rng.randrange(1, 255)
        lines.append(
            rng.choice(
                [
                    f"/queue simple add comment={comment} name=q{number} target=192.168.{a}.{b}/32",
                    f"/ip firewall filter add action=drop chain=forward comment={comment} protocol=gre",
                    f"/ip firewall filter add action=accept chain=forward src-address=192.168.{a}.0/24",
                    f"/ip firewall mangle add action=mark-packet chain=prerouting new-packet-mark=m{number}",
                    f"/ip dns static add address=192.168.{a}.{b} name=h{number}.lan",
                    f"/ip route add comment={comment} disabled=no distance=1 dst-address=100.{a}.{b}.0/24"
                    " gateway=192.168.88.1 routing-table=main scope=30 target-scope=10",
                    f"/ip address add address=192.168.{a}.{b}/24 comment={comment} interface=ether5"
                    f" network=192.168.{a}.0",
                    f"/interface vlan add comment={comment} interface=ether6 name=o{number} vlan-id={b}",
                    f'/system scheduler add interval=1d name=s{number} on-event="/log info \\"x\\"\\r\\\n'
                    '    \\n:put \\$a" policy=read',
                    f'/user group add comment={comment} name=g{number} policy="read,!write"',
                    f"/ip firewall address-list add address=10.200.{a}.{b} list=l{number}",
                    f"/ppp secret add name=p{number} password=hidden{number}",
                ]
            )
        )
    return "\n".join(lines)


def foreign(box: RouterOs, text: str) -> list[str]:
    """The lines of a history as the device shows them."""
    wanted = re.split(r"\n(?=/)", text)
    shown = "\n".join(box.store.export())
    return [line for line in wanted if f"{line}\n" in f"{shown}\n"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_a_history_is_touched(role: Role, seed: int) -> None:
    drive = Routed(role)
    text = history(seed)
    drive.box.load(text)
    lines = re.split(r"\n(?=/)", text)
    before = foreign(drive.box, text)
    assert len(before) == len(lines) == 500
    diff = drive.bring()
    assert not [line for line in diff.removed if line[0] in lines]
    assert foreign(drive.box, text) == before
    assert drive.diff().told == ()
    assert "hidden" not in " ".join(diff.told)


# ---- what the device refuses is noticed


@pytest.mark.parametrize(
    "line",
    [
        "/ip adress add address=10.0.0.1/24 interface=vlan40",
        "/ip address add address=10.0.0.1/24 interface=nowhere",
        "/ip address add address=10.0.0.256/24 interface=vlan40",
        "/ip address add address=10.0.44.1/24 interface=vlan40",
        "/ip address add interface=vlan40",
        "/interface vlan add interface=trunk0 name=v vlan-id=4095",
        "/interface vlan add interface=trunk0 name=vlan40 vlan-id=7",
        "/ip route add dst-address=10.0.0.0/8 gateway=10.0.44.9 distance=256",
        "/ip route add dst-address=10.0.0.0/8 gateway=10.0.44.9 color=red",
        "/ip firewall filter add chain=input action=burn",
        "/ip firewall filter add chain=input action=drop place-before=[find comment=none]",
        "/ip firewall filter remove 99",
        "/ip service set gopher disabled=yes",
        "/user add name=x group=nobody",
        "/user add name=netadm group=full",
        "/system logging action add name=a-b target=memory",
        "/system logging add action=nothere topics=info",
        "/routing ospf area add name=a instance=none",
        '/system note set note="unfinished',
        "/user ssh-keys set 0 user=netadm",
        "hello",
    ],
)
def test_every_refusal_is_noticed(line: str) -> None:
    drive = Routed(Role.GATEWAY)
    session = drive.session()
    before = drive.box.configuration()
    with pytest.raises(Rejected):
        session.configure((line,))
    assert drive.box.configuration() == before


@pytest.mark.parametrize(
    "line",
    [
        "/interface bridge vlan add bridge=br-lan vlan-ids=4095",
        "/interface bridge vlan add bridge=br-lan vlan-ids=40 tagged=e2",
        "/interface bridge port add bridge=br-lan interface=e1",
        "/interface bridge port add bridge=br-lan interface=e2 pvid=0",
        "/interface bridge port add bridge=other interface=e2",
        "/interface bridge port add bridge=br-lan interface=e2 frame-types=some",
    ],
)
def test_a_switch_refuses_too(line: str) -> None:
    session = Routed(Role.SWITCH).session()
    with pytest.raises(Rejected):
        session.configure((line,))


@pytest.mark.parametrize("role", ROLES)
def test_what_goes_goes_before_what_it_needs(role: Role) -> None:
    typed = list(ROUTEROS.commands(Routed(role).intended, ()))
    adding = list(ROUTEROS.commands((), Routed(role).intended))

    def first(lines: list[str], *words: str) -> int:
        return next(at for at, line in enumerate(lines) if all(word in line for word in words))

    assert first(typed, "/ip address remove") < first(typed, "/interface vlan remove")
    assert first(typed, "filter remove", "jump/input") < first(
        typed, "filter remove", "known/lienthong-input"
    )
    assert first(adding, "/interface vlan add") < first(adding, "/ip address add")
    assert first(adding, "filter add", "last/lienthong-input") < first(adding, "filter add", "jump/input")
    assert adding[-1].startswith("/ip service set ssh")
    if role is Role.GATEWAY:
        assert first(typed, "/ip dhcp-server remove") < first(typed, "/ip pool remove")
        assert first(typed, "filter remove") < first(typed, "/interface list remove")


def test_a_bridge_that_is_there_filters_last() -> None:
    drive = Routed(Role.SWITCH)
    drive.type("/interface bridge set br-lan vlan-filtering=no")
    diff = drive.diff()
    typed = ROUTEROS.commands(diff.removed, diff.added)
    at = next(at for at, line in enumerate(typed) if "vlan-filtering=yes" in line)
    assert not any(
        "/interface bridge vlan add" in line or "/interface bridge port" in line for line in typed[at:]
    )
    drive.bring()
    assert drive.diff().told == ()


def test_somebody_with_all_rights_is_left() -> None:
    drive = brought(Role.GATEWAY)
    assert drive.type("/user remove admin") == ""
    for command in ("remove netadm", "set netadm disabled=yes", "set netadm group=read", "disable netadm"):
        assert drive.type(f"/user {command}").startswith("failure")
    assert drive.box.answers(CONTROLLER)


def test_an_export_that_gave_up_is_no_answer() -> None:
    assert any(
        re.search(error, "x\n#error exporting /ip/route (timeout)\n", re.M) for error in ROUTEROS.errors
    )


# ---- words


SHOWN = Routed(Role.SWITCH).type(
    "/ip firewall filter add chain=lienthong-input src-address=10.0.0.0/8",
    "/ip firewall filter add chain=input action=jump jump-target=lienthong-input",
    ROUTEROS.show,
)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, len(SHOWN)),
    st.integers(0, 9),
    st.text(max_size=20) | st.sampled_from(["=", '"', ",", "0"]),
)
def test_whatever_a_device_says_is_read(at: int, gone: int, said: str) -> None:
    lines = parse(SHOWN[:at] + said + SHOWN[at + gone :])
    assert ROUTEROS.reach is not None
    ROUTEROS.reach(lines)
    for line in lines:
        ROUTEROS.vlans(line)
        ROUTEROS.interfaces(line)
    mine = [line for line in lines if ROUTEROS.owns(line, frozenset(ROUTER.intended))]
    ROUTEROS.commands(mine, ())


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_a_value_stays_a_value(text: str) -> None:
    drive = ROUTER
    clean = text.replace("\x00", "")
    before = [row.number for row in drive.box.store.rows("/user")]
    said = Console(drive.box, "x").line(f"/system note set note={quoted(clean)}")
    assert said == ""
    assert drive.box.store.rows("/system note")[0].get("note") == clean.encode(errors="replace").decode()
    assert [row.number for row in drive.box.store.rows("/user")] == before
    shown = next(drive.box.store.export("/system note"), '/system note set note=""')
    found = item(shown)
    assert found is not None
    assert found.get("note") == clean.encode(errors="replace").decode()


@pytest.mark.parametrize(
    "text",
    [
        '"; /user remove netadm; "', "$[/user remove netadm]", "[/user remove netadm]",
        "\\", "a\\", '\\"', "?", "}{",
        "x\n/user remove netadm", "x\r\n/user remove netadm", "\x1b[2J", "\u202e",
        "$x", "`", "#", "<secret a/b>",
    ],
)  # fmt: skip
def test_a_hostile_description_becomes_no_line(text: str) -> None:
    drive = Routed(Role.GATEWAY)
    assert drive.node.device is not None
    interfaces = tuple(replace(one, description=text) for one in drive.node.device.interfaces)
    node = replace(drive.node, device=replace(drive.node.device, interfaces=interfaces))
    lines = render(told(node), drive.kind, ROUTEROS, ROOT / "templates")
    assert len(lines) == len(drive.intended)
    assert all(len(line[0].splitlines()) == 1 and line[0].isprintable() for line in lines)
    assert not any(r"\0A" in line[0] or r"\1B" in line[0] for line in lines)
    drive.bring(lines)
    assert drive.diff(lines).told == ()
    assert [row.get("name") for row in drive.box.store.rows("/user")] == ["admin", "netadm", "console"]


def test_a_template_may_quote_json_and_nothing_else() -> None:
    found = rendered('/x add comment="a \\u003cb\\u003e \\"c\\"" name=d')
    assert (found.get("comment"), found.get("name")) == ('a <b> "c"', "d")
    assert str(found) == '/x add comment="a <b> \\"c\\"" name=d'
    with pytest.raises(ValueError, match="no command"):
        rendered("x y z")
    assert intended("/snmp set enabled=no\n") == ()


def test_rules_of_the_same_addresses_share_a_list_and_go_from_one_whole_list_to_another() -> None:
    rule = '/ip firewall filter add chain=lienthong-input src-address="{}" comment="lienthong:{}"\n'
    one = intended(rule.format("10.0.0.0/24,10.0.1.1/32", "a") + rule.format("10.0.1.1/32,10.0.0.0/24", "b"))
    assert [line[0].split()[2] for line in one] == ["address-list", "address-list", "filter", "filter"]
    two = intended(rule.format("10.0.0.0/24,10.0.2.0/24", "a") + rule.format("10.0.2.0/24", "b"))
    typed = ROUTEROS.commands(
        [line for line in one if line not in two], [line for line in two if line not in one]
    )
    kinds = [next(word for word in line.split() if word in ("add", "set", "remove")) for line in typed]
    assert kinds == ["add", "add", "set", "set", "remove", "remove"]
    assert "!src-address-list" in typed[3]


# ---- undo


def bad(role: Role) -> dict[str, tuple[Callable[[Lines], Lines], str]]:
    """Changes that cut the way to the device: name → (what the plan would become, what the guard says)."""
    own = {Role.GATEWAY: "10.0.44.1", Role.SWITCH: "10.0.44.2"}[role]
    found: dict[str, tuple[Callable[[Lines], Lines], str]] = {
        "address": (
            lambda lines: changed(lines, f"address={own}/24", "address=10.0.44.77/24"),
            "management address",
        ),
        "gone": (lambda lines: without(lines, f"address={own}/24"), "management address"),
        "tag": (
            lambda lines: changed(lines, "name=vlan40 vlan-id=40", "name=vlan40 vlan-id=41"),
            "from VLAN 40",
        ),
        "shut": (
            lambda lines: tuple(
                (line[0].replace("interface=", "disabled=yes interface="),)
                if "name=vlan40" in line[0]
                else line
                for line in lines
            ),
            "management address",
        ),
        "ssh": (lambda lines: (*lines, ("/ip service set ssh disabled=yes",)), "ends SSH"),
        "networks": (
            lambda lines: changed(lines, "address=10.0.4.0/24,10.0.44.0/24", "address=10.9.0.0/16"),
            "no longer answers SSH from 10.0.4.0/24",
        ),
        "filter": (
            lambda lines: without(without(lines, "lienthong:ssh/10.0.4.0"), "input/matrix.tinh-uy", "tcp22"),
            "no longer answers SSH from 10.0.4.0/24",
        ),
        "user": (lambda lines: without(lines, "/user", "name=netadm"), "takes away the account"),
        "key": (lambda lines: without(lines, "/user ssh-keys"), "takes away the account"),
        "group": (
            lambda lines: changed(lines, "group=full", "group=lienthong-console"),
            "takes away the acc",
        ),
    }
    if role is Role.SWITCH:
        found["trunk"] = (
            lambda lines: changed(lines, "tagged=br-lan,e1 vlan-ids=40", "tagged=br-lan vlan-ids=40"),
            "off e1",
        )
        found["port"] = (lambda lines: (*lines, ("/interface ethernet set e1 disabled=yes",)), "off e1")
        found["route"] = (lambda lines: without(lines, "/ip route add", "0.0.0.0/0"), "default route")
    return found


CASES = [(role, name) for role in ROLES for name in bad(role)]


@pytest.mark.parametrize(("role", "name"), CASES)
def test_the_guard_refuses_by_name_what_would_strand_the_device(role: Role, name: str) -> None:
    drive = brought(role)
    if name == "key":  # the one of day 0, which the plan does not own
        drive.type('/user ssh-keys remove [find comment=""]')
    make, why = bad(role)[name]
    lines = make(drive.intended)
    diff = drive.diff(lines)
    management = Management(frozenset(), drive.node.address, told(drive.node).plane.networks, "netadm")
    found = reasons({"routeros": Predicted(ROUTEROS, drive.running(), diff)}, management)
    assert any(why in text for _, text in found), found
    assert not reasons({"routeros": Predicted(ROUTEROS, drive.running(), drive.diff())}, management)


@pytest.mark.parametrize(("role", "name"), [case for case in CASES if case[1] not in ("group",)])
def test_a_forced_bad_change_returns_by_itself(role: Role, name: str) -> None:
    drive = Routed(role)
    drive.box.pass_time(50)  # what counts from the start must not come sooner for it
    drive.bring()
    if name == "key":
        drive.type('/user ssh-keys remove [find comment=""]')
    if name == "route":
        drive.box.store.rows("/ip route")[:] = [
            row for row in drive.box.store.rows("/ip route") if row.get("comment").startswith("lienthong:")
        ]
    before = drive.box.configuration()
    diff = drive.diff(bad(role)[name][0](drive.intended))
    assert diff
    with suppress(Unreachable):
        drive.send(diff)
    with pytest.raises(Unreachable):
        drive.session()
    drive.box.pass_time(119)
    with pytest.raises(Unreachable):
        drive.session()
    drive.box.pass_time(1 + drive.box.boot_s)
    assert drive.box.configuration() == before
    assert drive.box.saved() == before
    assert drive.diff().told == ()
    drive.box.pass_time(1000)
    assert drive.box.boots == 2  # it does not return again and again


def other(drive: Routed) -> Lines:
    return changed(drive.intended, "10.0.1.10", "10.0.1.11")


@pytest.mark.parametrize("when", ["before the first line", "after the last line"])
@pytest.mark.parametrize("how", ["fire", "timer", "reboot", "power"])
def test_an_armed_device_returns(when: str, how: str) -> None:
    drive = brought(Role.GATEWAY)
    before = drive.box.configuration()
    session = drive.session()
    assert pending(session) is None
    arm(session, ARMING)
    assert pending(session) is not None
    if when == "after the last line":
        diff = drive.diff(other(drive))
        session.configure(ROUTEROS.commands(diff.removed, diff.added))
        assert drive.box.configuration() != before
    if how == "fire":
        assert "anew" in fire(session)
    elif how == "timer":
        drive.box.pass_time(120)
    elif how == "reboot":
        drive.box.reboot()
    else:
        drive.box.power_off()
        drive.box.power_on()
    drive.box.pass_time(2 * drive.box.boot_s + 10)
    assert drive.box.configuration() == before
    assert drive.box.saved() == before
    again = drive.session()
    assert pending(again) is None
    with pytest.raises(LienThongError, match="returned already"):
        confirm(again)
    assert fire(again) == "it had returned already"
    boots = drive.box.boots
    drive.box.pass_time(3600)
    assert drive.box.boots == boots


def test_what_is_confirmed_stays_and_leaves_nothing_behind() -> None:
    drive = brought(Role.GATEWAY)
    drive.bring(other(drive))
    after = drive.box.configuration()
    drive.box.pass_time(3600)
    drive.box.reboot()
    drive.box.pass_time(3600)
    assert drive.box.configuration() == after
    assert not drive.box.files
    assert drive.box.boots == 2


def test_a_device_with_a_folder_flash_keeps_its_backup_there() -> None:
    drive = brought(Role.GATEWAY)
    drive.box.flash = True
    before = drive.box.configuration()
    session = drive.session()
    arm(session, ARMING)
    assert list(drive.box.files) == [f"flash/{NAME}.backup"]
    session.configure(("/ip address add address=10.7.7.7/24 interface=vlan20",))
    drive.box.reboot()
    drive.box.pass_time(200)
    assert drive.box.configuration() == before
    arm(drive.session(), ARMING)
    confirm(drive.session())
    assert not drive.box.files


@pytest.mark.parametrize("lacks", ["room", "schedules"])
def test_what_cannot_be_armed_is_not_changed(lacks: str) -> None:
    drive = brought(Role.GATEWAY)
    before = drive.box.configuration()
    drive.box.full, drive.box.schedules = lacks == "room", lacks != "schedules"
    with pytest.raises(NotArmed):
        arm(drive.session(), ARMING)
    assert drive.box.configuration() == before
    assert not drive.box.files


def test_safe_mode_of_somebody_else_is_respected() -> None:
    drive = brought(Role.GATEWAY)
    somebody = Console(drive.box, "admin")
    somebody.line("\x18")
    assert somebody.prompt().endswith("<SAFE> ")
    assert re.search(ROUTEROS.prompt("x"), "\n" + somebody.prompt())
    somebody.line("/ip address add address=10.7.7.7/24 interface=vlan20")
    session = drive.session()
    with pytest.raises(NotArmed, match="Safe Mode"):
        arm(session, ARMING)
    somebody.line("\x18")
    somebody.line("\x18")
    arm(session, ARMING)
    session.configure(("/ip address add address=10.8.8.8/24 interface=vlan20",))
    with pytest.raises(LienThongError, match="Safe Mode"):
        confirm(drive.session())


def test_what_safe_mode_holds_goes_with_its_login_or_the_power() -> None:
    drive = brought(Role.GATEWAY)
    before = drive.box.configuration()
    for end in (Console.interrupted, lambda _: drive.box.reboot()):
        somebody = Console(drive.box, "admin")
        somebody.line("\x18")
        somebody.line("/ip address add address=10.7.7.7/24 interface=vlan20")
        assert drive.box.configuration() != before
        end(somebody)
        drive.box.pass_time(drive.box.boot_s)
        assert drive.box.configuration() == before


@pytest.mark.parametrize(("when", "after"), [("", [30]), ("interval=100s", [100, 100])])
def test_a_schedule_of_the_start_runs_as_the_vendor_says(when: str, after: list[int]) -> None:
    drive = Routed(Role.GATEWAY)
    event = 'on-event="/system identity set name=ran"'
    assert drive.type(f"/system scheduler add name=a start-time=startup {when} {event}") == ""
    drive.box.reboot()
    drive.box.pass_time(drive.box.boot_s)
    for seconds in after:
        if "interval" in when:
            drive.box.pass_time(50)
            assert drive.box.identity != "ran"  # one with an interval does not run at the start
        drive.box.pass_time(seconds - (50 if "interval" in when else 0))
        assert drive.box.identity == "ran"
        drive.type("/system identity set name=again")


def test_the_undo_says_what_it_is() -> None:
    assert UNDO.reboots
    assert UNDO.survives_reboot
    assert UNDO.window(60) == 60
    assert UNDO.own


# ---- taking a change back by lines


@pytest.mark.parametrize("role", ROLES)
def test_commands_the_other_way_round_return_exactly(role: Role) -> None:
    drive = brought(role)
    before = drive.running()
    wanted = without(
        changed(drive.intended, "10.0.1.10", "10.0.1.11"),
        "lienthong:vlan35" if role is Role.GATEWAY else "e13",
    )
    wanted = tuple(line for line in wanted if "vlan35" not in line[0])
    diff = drive.diff(wanted)
    session = drive.session()
    session.configure(ROUTEROS.commands(diff.removed, diff.added))
    after = future(before, diff)
    assert frozenset(drive.running()) == frozenset(after)
    session.configure(ROUTEROS.commands(diff.added, diff.removed))
    assert frozenset(drive.running()) == frozenset(before)


# ---- what is well


def test_neighbours_that_are_full_are_well_and_bear_their_line() -> None:
    drive = brought(Role.GATEWAY)
    assert ROUTEROS.health is not None
    session = drive.session()
    both = {"tslcd-a ospf 172.16.0.40 full", "tslcd-b ospf 172.16.0.42 full"}
    assert ROUTEROS.health(session.ask) == both
    drive.type("/interface ethernet disable tslcd-b")
    assert ROUTEROS.health(session.ask) == {"tslcd-a ospf 172.16.0.40 full"}
    named = ' 0  D instance=a area=b interface=e1 address=10.0.0.2 router-id=1.1.1.1 state="Full"\n'
    assert ROUTEROS.health(lambda _: named) == {"e1 ospf 10.0.0.2 full"}
    assert ROUTEROS.health(lambda _: named.replace("Full", "ExStart")) == frozenset()
    assert ROUTEROS.health(brought(Role.SWITCH).session().ask) == frozenset()


# ---- what an officer sees


@pytest.mark.parametrize(
    ("command", "field", "value"),
    [
        ("/system identity print", "name", "loc-ninh-gw-wan"),
        ("/ip address print", "interface", "vlan40"),
        ("/interface print terse without-paging", "name", "tslcd-a"),
        ("/interface vlan print detail", "name", "vlan40"),
        ("/ip firewall filter print without-paging", "chain", "input"),
        ("/system routerboard print", "hardware_model", "RB4011iGS+"),
    ],
)
def test_what_it_prints_is_read_by_ntc_templates(command: str, field: str, value: str) -> None:
    from ntc_templates.parse import parse_output  # type: ignore[import-untyped]

    drive = brought(Role.GATEWAY)
    if "filter" in command:
        drive.type(
            "/ip firewall filter remove [find]", '/ip firewall filter add chain=input comment="keep out"'
        )
    rows = parse_output("mikrotik_routeros", command, drive.type(command))
    assert value in [row[field] for row in rows]


def test_a_question_mark_asks_for_help_wherever_it_stands() -> None:
    drive = Routed(Role.GATEWAY)
    assert "menus" in drive.type('/system note set note="who?"')
    assert drive.box.store.rows("/system note")[0].get("note") == "who"


def test_the_prompt_and_the_login_are_those_of_the_console() -> None:
    drive = Routed(Role.GATEWAY)
    shell = drive.box.shell("netadm+ct511w4098h")
    assert shell.prompt() == "[netadm@MikroTik] > "
    assert drive.box.keys_of("netadm+ct511w4098h") == drive.box.keys_of("netadm") != ()
    assert drive.box.keys_of("nobody") == ()
    for prompt in ("[netadm@MikroTik] > ", "[a@b c] /ip/address> ", "[a@b] <SAFE> "):
        assert re.search(ROUTEROS.prompt("b"), f"said\r\n{prompt}")
    assert not re.search(ROUTEROS.prompt("b"), "comment=[a@b] > more")


def test_the_lines_of_a_whole_export_are_read_once() -> None:
    text = "/ip address\nadd address=1.2.3.4/24\n"
    assert parse(text) == (("/ip address",), ("add address=1.2.3.4/24",))
    line: Line = ("/interface vlan add interface=e1 name=vlan40 vlan-id=40",)
    assert ROUTEROS.interfaces(line) == {"e1", "vlan40"}
    assert ROUTEROS.vlans(line) == {40}


ROUTER = Routed(Role.GATEWAY)
