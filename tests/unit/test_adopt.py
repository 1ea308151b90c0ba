"""From recordings of the lab's nodes to entries of the inventory; what a hostile device can do: nothing."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.adopt.known import load_types
from lienthong.adopt.propose import Proposal, propose
from lienthong.adopt.seen import Seen, seen
from lienthong.adopt.written import as_data, over, put, told
from lienthong.edit import Draft
from lienthong.edit.layers import at, layers
from lienthong.errors import LienThongError
from lienthong.facts.facts import FactMissing, Facts
from lienthong.inventory.layers import merged
from lienthong.model.site import Device, Host, Inventory
from lienthong.plan.build import build

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "tests" / "recordings" / "adopt"
INVENTORY = load_types(ROOT / "inventory")
NODES = sorted(path.stem for path in RECORDINGS.glob("*.json"))
HOSTILE = [
    "x; reboot",
    "$(reboot)",
    "{{ 7*7 }}",
    "a\nhosts: {evil: {}}",
    "#swallowed",
    "\x1b[2Jx",
    "\u202eabc",
    "é" * 300,
    "<script>",
    "%s%n",
    "'\"",
]


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def look(name: str, **sections: str) -> Seen:
    """A recording, with some sections saying something else."""
    raw = recorded(name)
    raw |= {section: {"rc": 0, "out": text} for section, text in sections.items()}
    return seen(Facts.from_json(name, json.dumps(raw)), ("mgmt0",))


def below(slug: str, group: str, short: str) -> dict[str, Any]:
    found = at(layers(ROOT / "inventory", INVENTORY.sites[slug].kind), (group, short))
    return dict(found) if isinstance(found, dict) else {}


def without(slug: str, group: str, short: str) -> Inventory:
    """The inventory as it is where nobody has written that node down; its port is closed."""
    site = INVENTORY.sites[slug]
    entries = {name: one for name, one in getattr(site, group).items() if name != short}
    rest = site.model_copy(update={group: entries})
    return INVENTORY.model_copy(update={"sites": {**INVENTORY.sites, slug: rest}})


def adopted(name: str) -> tuple[Proposal, Any]:
    slug = "loc-ninh" if name.startswith("loc-ninh") else "tinh-uy"
    short = name.removeprefix(f"{slug}-")
    group = "hosts" if short in INVENTORY.sites[slug].hosts else "devices"
    gear = [look(node) for node in NODES if "-sw-" in node or "-gw-" in node]
    proposal = propose(look(name), without(slug, group, short), gear, below(slug, group, short))
    return proposal, getattr(INVENTORY.sites[slug], group)[short]


@pytest.mark.parametrize("name", NODES)
def test_a_node_is_proposed_as_the_inventory_has_it(name: str) -> None:
    proposal, real = adopted(name)
    assert f"{proposal.site}-{proposal.short}" == name
    assert proposal.contradicts == ()
    assert type(real).model_validate(proposal.entry).model_dump(exclude_defaults=True) == real.model_copy(
        update={"asset": None}
    ).model_dump(exclude_defaults=True)


@pytest.mark.parametrize("name", ["loc-ninh-gw-wan", "loc-ninh-sw-wan", "loc-ninh-srv"])
def test_the_proposal_put_back_gives_the_plan_there_was(name: str) -> None:
    proposal, real = adopted(name)
    assert proposal.site is not None
    slug, short = proposal.site, str(proposal.short)
    rest = without(slug, proposal.group, short)
    entries = {**getattr(rest.sites[slug], proposal.group), short: type(real).model_validate(proposal.entry)}
    site = rest.sites[slug].model_copy(update={proposal.group: entries})
    again = rest.model_copy(update={"sites": {**rest.sites, slug: site}})
    assert build(again) == build(INVENTORY)


def test_a_host_is_found_on_its_port_and_a_switch_knows_its_hosts() -> None:
    assert adopted("loc-ninh-srv")[0].cabled == ("sw-wan", "e2")
    assert adopted("loc-ninh-sw-wan")[0].entry["ports"]["e1"] == {"device": "gw-wan"}
    by_arp = propose(look("loc-ninh-sw-wan"), INVENTORY, [look("loc-ninh-gw-wan")]).entry["ports"]
    assert (by_arp["e2"], by_arp["e3"]) == ({"host": "srv"}, {"host": "vc"})
    alone = propose(look("loc-ninh-sw-wan"), INVENTORY)
    assert alone.entry["ports"]["e2"] == {"segment": "servers"}
    assert any(ask.startswith("ports.e2: ") for ask in alone.asks)


def test_lldp_says_who_is_at_the_end_of_a_trunk() -> None:
    lldp = {"lldp": [{"interface": [{"name": "e1", "chassis": [{"name": [{"value": "loc-ninh-gw-wan"}]}]}]}]}
    proposal = propose(look("loc-ninh-sw-wan", lldp=json.dumps(lldp), neighbours="[]"), INVENTORY)
    assert proposal.entry["ports"]["e1"] == {"device": "gw-wan"}
    blind = propose(look("loc-ninh-sw-wan", neighbours="[]"), INVENTORY)
    assert "e1" not in blind.entry["ports"]
    assert any(ask.startswith("ports.e1: a trunk") for ask in blind.asks)


def test_a_board_tells_maker_serial_and_firmware_unless_nobody_filled_them_in() -> None:
    board = {"sys_vendor": "Dell Inc.", "product_name": "PowerEdge R350", "product_serial": "7XK2Q63"}
    proposal = propose(look("loc-ninh-srv", dmi=json.dumps({**board, "bios_version": "1.9.2"})), INVENTORY)
    entry = proposal.entry
    assert (entry["model"], entry["serial"], entry["firmware"]) == (
        "Dell Inc. PowerEdge R350",
        "7XK2Q63",
        "1.9.2",
    )
    assert not any(ask.startswith(("model", "serial")) for ask in proposal.asks)
    empty = {"sys_vendor": "To Be Filled By O.E.M.", "product_serial": "Default string"}
    assert "serial" not in propose(look("loc-ninh-srv", dmi=json.dumps(empty)), INVENTORY).entry


def moved(one: Seen, address: str, interface: str = "eth0") -> Seen:
    return replace(one, legs=((interface, IPv4Interface(address)),))


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda s: moved(s, "192.0.2.7/24"), "address 192.0.2.7/24 on eth0 is outside the address plan"),
        (lambda s: moved(s, "10.127.255.9/24"), "is of a site number that nobody has"),
        (lambda s: moved(s, "10.0.45.9/24"), "is in no segment of loc-ninh"),
        (lambda s: moved(s, "10.0.41.10/16"), "the plan's prefix is 10.0.41.0/24"),
        (lambda s: moved(s, "10.0.42.20/24"), "address 10.0.42.20 is taken by loc-ninh-vc"),
        (lambda s: moved(s, "10.0.41.150/24"), "id: Input should be less than or equal to 99"),
        (lambda s: replace(s, legs=(*s.legs, ("eth1", IPv4Interface("10.128.40.9/24")))), "both sides"),
        (lambda s: replace(s, legs=(*s.legs, ("eth1", IPv4Interface("10.0.42.9/24")))), "has several legs"),
        (lambda s: replace(s, hostname="bu-dang-srv"), "does not begin with loc-ninh"),
        (lambda s: replace(s, hostname="loc-ninh-gw-wan"), "something else of the name gw-wan"),
        (lambda s: replace(s, gateways=(IPv4Address("10.0.41.254"),)), "route goes to 10.0.41.254"),
    ],
)  # fmt: skip
def test_what_contradicts_the_inventory_is_said(change: Any, wrong: str) -> None:
    found = propose(change(look("loc-ninh-srv")), INVENTORY).contradicts
    assert any(wrong in line for line in found), found


def test_a_vlan_or_an_id_that_cannot_be_is_said() -> None:
    switch = look("loc-ninh-sw-wan")
    ports = {**switch.ports, "e9": replace(switch.ports["e2"], name="e9", tag=77)}
    assert (
        "VLAN 77 on port e9 is no segment of loc-ninh"
        in propose(replace(switch, ports=ports), INVENTORY).contradicts
    )
    assert (
        "id 2 is taken by loc-ninh-sw-wan"
        in propose(replace(switch, hostname="loc-ninh-sw-two"), INVENTORY).contradicts
    )


def harmless(proposal: Proposal) -> None:
    """The YAML is one mapping with the entry and no more, and nothing steers a terminal."""
    text = told(proposal)
    assert all(char == "\n" or char.isprintable() for char in text + json.dumps(as_data(proposal)))
    value = yaml.safe_load(text)
    short = proposal.short or "unnamed"
    assert set(value) <= {"devices", "hosts"}
    assert set(value[proposal.group]) <= {short, *(proposal.cabled or ())}
    (Host if proposal.group == "hosts" else Device).model_validate(
        {**value["hosts"][short]} if proposal.group == "hosts" else {**value["devices"][short]}
    )
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert not any(mark in line for line in comments for mark in ("{{", "$(", "`", "\x1b"))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["loc-ninh-srv", "loc-ninh-sw-wan", "loc-ninh-gw-wan"])
def test_a_hostile_device_says_nothing_that_is_written(name: str, text: str) -> None:
    board = {"sys_vendor": text, "product_name": text, "product_serial": text, "bios_version": text}
    raw = recorded(name)
    addresses = json.loads(raw["addresses"]["out"])
    given = {"family": "inet", "local": "10.0.41.77", "prefixlen": 24}
    addresses.append({"ifname": text, "address": text, "addr_info": [given]})
    one = look(
        name,
        hostname=text,
        dmi=json.dumps(board),
        os=f'PRETTY_NAME="{text}"',
        addresses=json.dumps(addresses),
        unbound=f'  forward-addr: {text}\n  local-zone: "{text}." always_nxdomain',
        lldp=json.dumps(
            {"lldp": [{"interface": [{"name": "e1", "chassis": [{"name": [{"value": text}]}]}]}]}
        ),
    )
    proposal = propose(one, INVENTORY)
    harmless(proposal)
    assert proposal.short is None
    whole = told(proposal) + json.dumps(as_data(proposal), ensure_ascii=False)
    assert text not in whole
    assert "name of an interface" in " ".join(proposal.contradicts)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(recorded("loc-ninh-sw-wan"))),
    st.text(max_size=80) | st.just("[1]") | st.just("{}"),
)
def test_any_section_may_say_anything(section: str, text: str) -> None:
    try:
        proposal = propose(look("loc-ninh-sw-wan", **{section: text}), INVENTORY)
    except FactMissing:
        return
    if proposal.site is not None:
        assert all(char == "\n" or char.isprintable() for char in told(proposal))


def test_what_is_no_answer_is_an_error_and_no_traceback() -> None:
    for broken in ('{"addresses": {"rc": 0, "out": "[{}]"}}', "{}", '{"forwarding": {"rc": 0, "out": "0"}}'):
        with pytest.raises(FactMissing):
            seen(Facts.from_json("x", broken))


def test_no_secret_is_in_a_recording() -> None:
    for path in RECORDINGS.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"auth_pass(?! \*\*\*)|PRIVATE KEY|md5 [0-9a-f]", text), path.name


@given(
    st.recursive(st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    st.recursive(st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
)
def test_what_is_laid_over_the_layers_gives_the_entry(low: Any, high: Any) -> None:
    low, high = {"x": low}, {"x": high}
    assert bare(merged(low, over(low, high))) == bare(high)


def bare(value: Any) -> Any:
    """Without empty mappings: to a model they say what silence says."""
    if isinstance(value, dict):
        return {key: kept for key, item in value.items() if (kept := bare(item)) != {}}
    return value


def test_it_is_written_over_the_layers_and_the_plan_is_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    shutil.copytree(ROOT / "inventory", folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "sites" / "loc-ninh.yaml"
    before, text = build(load_types(folder)), file.read_text(encoding="utf-8")
    closed = "devices: {sw-wan: {ports: {e2: {host: null, unused: true}}}}\n"
    file.write_text(
        text.replace("hosts:\n", closed + "hosts:\n  srv: null\n") + "systems: {meeting: null}\n", "utf-8"
    )
    gear = [look("loc-ninh-sw-wan"), look("loc-ninh-gw-wan")]
    proposal = propose(look("loc-ninh-srv"), load_types(folder), gear, below("loc-ninh", "hosts", "srv"))
    draft = Draft(folder)
    put(draft, "district", proposal)
    draft.commit()
    after = file.read_text(encoding="utf-8")
    assert "srv: null" not in after
    file.write_text(after.replace("systems: {meeting: null}\n", ""), encoding="utf-8")
    assert build(load_types(folder)) == before


def test_what_contradicts_is_not_written() -> None:
    proposal = propose(moved(look("loc-ninh-srv"), "10.0.42.20/24"), INVENTORY)
    with pytest.raises(LienThongError, match=r"not written: .*10\.0\.42\.20 is taken by loc-ninh-vc"):
        put(Draft(ROOT / "inventory"), "district", proposal)
