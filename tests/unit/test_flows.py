"""Flow records: who may send them, what gateway and collector do with them, and what the check believes."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from checks import test_flows as check
from lienthong.audit.traffic import Stage, shots
from lienthong.checks import Evidence, NotAssessed
from lienthong.inventory import load
from lienthong.lab.topology import derive, left_out
from lienthong.model.intent import ProvincePlan
from lienthong.model.words import Side
from lienthong.plan.build import build
from lienthong.plan.policy import forward_rules, input_rules
from lienthong.services.flows import IPFIX
from tests.rendered import _deployed, space_of
from tests.whole import DISTRICT, OFFICE, loaded, whole

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "templates" / "hosts" / "flows"
GATEWAY, COLLECTOR = "tinh-uy-gw-wan", "tinh-uy-svc-wan"
NOW_S = 1_796_029_200.0  # 2026-11-30 09:00:00 UTC


def program(name: str) -> Any:
    """A program of the templates as a module."""
    spec = importlib.util.spec_from_file_location(f"flows_{name}", PROGRAMS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def plan() -> ProvincePlan:
    """Of the whole inventory: a collector on side wan, none on side net."""
    data = whole()
    # The whole inventory has a gateway of a vendor in the district; here it is Debian.
    gateway = data["sites"][DISTRICT]["devices"]["gw-wan"]
    for key in ("model", "sockets", "firmware"):
        del gateway[key]
    gateway["platform"] = "linux-gw"
    gateway["runs"]["dhcp"] = {}
    return build(loaded(data))


# --- the plan


def test_gateways_of_the_side_send_and_nobody_else() -> None:
    into = [r for r in input_rules(plan(), plan().nodes[COLLECTOR]) if r.flow.origin == "flows"]
    sources = {str(network.network_address) for rule in into for network in rule.src}
    assert {rule.flow.proto for rule in into} == {"udp"}
    assert {rule.flow.ports for rule in into} == {((IPFIX, IPFIX),)}
    gateways = {n.name: str(n.address) for n in plan().nodes.values() if n.is_gateway}
    assert {gateways[GATEWAY], gateways["loc-ninh-gw-wan"]} <= sources
    others = {str(n.address) for n in plan().nodes.values() if not n.is_gateway or n.side is Side.NET}
    assert not others & sources
    passing = [r for r in forward_rules(plan(), plan().nodes["loc-ninh-gw-wan"]) if r.flow.origin == "flows"]
    assert not passing, "the gateway of a district carries only its own"


def test_a_side_without_a_collector_and_the_default_inventory_have_no_such_flow() -> None:
    assert not [
        f for s in plan().sites.values() for f in s.flows if f.origin == "flows" and f.side is Side.NET
    ]
    default = build(load(ROOT / "inventory"))
    assert not [f for s in default.sites.values() for f in s.flows if f.origin == "flows"]


def test_gateways_of_the_side_get_the_package_in_a_lab_and_no_other_system() -> None:
    found = derive(plan(), [OFFICE, DISTRICT])
    having = {one.name for one in found.systems if "pmacct" in one.packages}
    assert having == {GATEWAY, "loc-ninh-gw-wan"}
    collectors = {one.name for one in found.systems if "nfdump" in one.packages}
    assert collectors == {COLLECTOR}
    assert not {COLLECTOR, *having} & {*left_out(found, full=False)}
    default = derive(build(load(ROOT / "inventory")), [OFFICE, DISTRICT])
    assert not [one.name for one in default.systems if one.packages]


def test_a_collector_that_answers_nobody_is_not_asked_whether_the_flow_passes() -> None:
    stage = Stage(plan(), {}, dict(plan().nodes), frozenset())
    flow = next(f for f in plan().sites[OFFICE].flows if f.origin == "flows")
    assert "looked for in its store" in str(shots(stage, flow))


# --- what is put on nodes


@pytest.fixture(scope="module")
def deployed() -> dict[str, str]:
    space = space_of(loaded(whole()))
    kept = (GATEWAY, COLLECTOR, "tinh-uy-gw-net", "tinh-uy-sw-wan", "loc-ninh-srv")
    return {
        name: text
        for name, text in _deployed(space).items()
        if " flows " in name and name.split(" ")[0] in kept
    }


def of(deployed: dict[str, str], node: str, path: str) -> str:
    return next(text for name, text in deployed.items() if name.startswith(f"{node} ") and path in name)


def test_a_gateway_hears_all_its_interfaces_and_tells_its_collector(deployed: dict[str, str]) -> None:
    said = json.loads(of(deployed, GATEWAY, "/export.json"))
    node = plan().nodes[GATEWAY]
    assert node.device is not None
    assert {*said["interfaces"]} == {one.name for one in node.device.interfaces} - {"lo"}
    assert (said["source"], said["collector"]) == (str(node.address), str(plan().nodes[COLLECTOR].address))
    conf = of(deployed, GATEWAY, "/pmacctd.conf")
    assert f"nfprobe_receiver: {said['collector']}:{IPFIX}\n" in conf
    assert f"nfprobe_source_ip: {said['source']}\n" in conf
    assert said["conf"] == "/etc/lienthong/flows/pmacctd.conf"


def test_the_collector_keeps_as_long_as_the_inventory_says(deployed: dict[str, str]) -> None:
    assert "--days 30 --gigabytes 5 " in of(deployed, COLLECTOR, "lienthong-flows-keep.service")
    assert f"-b {plan().nodes[COLLECTOR].address} -p {IPFIX} -t 30" in of(
        deployed, COLLECTOR, "lienthong-flows.service"
    )


@pytest.mark.parametrize("node", ["tinh-uy-gw-net", "tinh-uy-sw-wan", "loc-ninh-srv"])
def test_no_other_system_is_given_anything(deployed: dict[str, str], node: str) -> None:
    names = [name for name in deployed if name.startswith(f"{node} ")]
    assert [name.split(" ")[-1] for name in names] == ["tidy"]


# --- the gateway's program


@pytest.fixture
def export() -> Any:
    return program("export")


def test_an_interface_that_came_again_is_another_one(export: Any, tmp_path: Path) -> None:
    for name, number in (("vlan10", 4), ("tslcd-a", 5)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ifindex").write_text(f"{number}\n")
    names = ["tslcd-a", "vlan10", "wg-net"]
    assert export.there(names, tmp_path) == {"vlan10": 4, "tslcd-a": 5}
    (tmp_path / "vlan10" / "ifindex").write_text("9\n")
    assert export.there(names, tmp_path) == {"vlan10": 9, "tslcd-a": 5}


def test_an_empty_message_is_one_of_ipfix(export: Any) -> None:
    text = export.empty(NOW_S)
    assert len(text) == 16
    assert (int.from_bytes(text[:2], "big"), int.from_bytes(text[2:4], "big")) == (10, 16)


def settle(collector: Any) -> bool:
    """What three looks say; an answer needs a moment."""
    found = False
    for _ in range(3):
        found = bool(collector.came_back()) or found
        time.sleep(0.05)
    return found


def test_a_collector_that_was_away_is_noticed_once(export: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        port = ear.getsockname()[1]
        collector = export.Collector("127.0.0.1", "127.0.0.1", port)
        assert not settle(collector), "it listens all the time"
    assert not settle(collector), "nobody listens"
    assert collector.shut
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", port))
        assert settle(collector), "it listens again"
        assert not settle(collector)
    collector.socket.close()


class Child:
    """A pmacctd that runs, or has ended."""

    def __init__(self, code: int | None = None) -> None:
        self.returncode = code

    def poll(self) -> int | None:
        return self.returncode


def looks(export: Any, monkeypatch: pytest.MonkeyPatch, *found: dict[str, int]) -> None:
    """What the next looks at the interfaces find; the last for ever."""
    waiting = list(found)
    monkeypatch.setattr(export, "there", lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0])


def test_pmacctd_is_started_anew_when_interfaces_have_settled(
    export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = SimpleNamespace(came_back=iter([False] * 9).__next__)
    said = {"interfaces": ["a", "b"]}
    looks(export, monkeypatch, {"a": 1}, {}, {"b": 8}, {"a": 7, "b": 8}, {"a": 7, "b": 8})
    assert "others" in export.watch(said, Child(), {"a": 1}, quiet, 0.0)
    assert export.there([]) == {"a": 7, "b": 8}, "not before two looks agree"
    looks(export, monkeypatch, {"a": 1})
    back = SimpleNamespace(came_back=iter([False, False, True]).__next__)
    assert "listens again" in export.watch(said, Child(), {"a": 1}, back, 0.0)
    with pytest.raises(SystemExit, match="ended with 3"):
        export.watch(said, Child(3), {"a": 1}, quiet, 0.0)


def test_only_what_comes_in_is_counted(export: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(export, "PMACCTD", "/bin/true")
    export.start({"vlan10": 4, "tslcd-a": 5}, tmp_path / "map", "x").wait()
    assert (tmp_path / "map").read_text().splitlines() == [
        "ifindex=5 ifname=tslcd-a direction=in",
        "ifindex=4 ifname=vlan10 direction=in",
    ]


# --- the collector's program

#: Stand for nfdump and nfexpire: the former puts files together, and grumbles about one that says `junk`.
NFDUMP = """#!/bin/sh
from=${3%%:*}; to=${3##*:}; for f in "${from%/*}"/nfcapd.2*; do n=${f##*/}
  [ "$n" \\< "${from##*/}" ] || [ "$n" \\> "$to" ] && continue
  grep -q junk "$f" && echo "Short read from file" >&2
  cat "$f" >> "$6"
done
echo "No matching flows"
"""
NFEXPIRE = '#!/bin/sh\necho "$@" >> "$EXPIRED"\n'


class Store:
    """A folder of records, with `keep` at work on it."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.base, self.keep, self.monkeypatch = base, program("keep"), monkeypatch
        for name in ("new", "store", "bin"):
            (base / name).mkdir()
        for name, text in (("nfdump", NFDUMP), ("nfexpire", NFEXPIRE)):
            (base / "bin" / name).write_text(text)
            (base / "bin" / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{base / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setenv("EXPIRED", str(base / "expired"))
        monkeypatch.setattr(self.keep.time, "time", lambda: NOW_S)

    def put(self, name: str, text: str) -> Path:
        path = self.base / "new" / name
        path.write_text(f"{text}\n")
        return path

    def run(self, fresh_s: int = 600) -> None:
        words = ["keep", str(self.base), "--days", "90", "--gigabytes", "20", "--fresh", str(fresh_s)]
        self.monkeypatch.setattr(self.keep, "sys", SimpleNamespace(stderr=None))
        self.monkeypatch.setattr("sys.argv", words)
        self.keep.main()

    @property
    def new(self) -> list[str]:
        return sorted(path.name for path in (self.base / "new").iterdir())

    @property
    def store(self) -> dict[str, list[str]]:
        folder = self.base / "store"
        return {
            str(path.relative_to(folder)): path.read_text().split()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    yield Store(tmp_path, monkeypatch)


def test_files_of_five_minutes_come_of_those_that_are_over(store: Store) -> None:
    for minute in (44, 45, 46, 50, 51, 59):
        store.put(f"nfcapd.202611300{8}{minute}00", f"m{minute}")
    store.put("nfcapd.current.12", "running")
    os.utime(store.base / "new" / "nfcapd.current.12", (NOW_S, NOW_S))
    store.run()
    assert store.store == {
        "2026/11/30/nfcapd.20261130084400": ["m44"],
        "2026/11/30/nfcapd.20261130084500": ["m45", "m46"],
    }
    assert store.new == [
        "nfcapd.20261130085000",
        "nfcapd.20261130085100",
        "nfcapd.20261130085900",
        "nfcapd.current.12",
    ]
    base = store.base / "store"
    assert (store.base / "expired").read_text().splitlines() == [f"-r {base}", f"-e {base} -t 90d -s 20G"]


def test_what_a_killed_collector_left_is_taken_too(store: Store) -> None:
    path = store.put("nfcapd.current.7", "left")
    os.utime(path, (NOW_S - 1700, NOW_S - 1700))
    store.put("nfcapd.20261130083140", "beside")
    store.run()
    assert [text for texts in store.store.values() for text in texts] == ["beside", "left"]
    assert store.new == []


def test_what_cannot_be_read_is_kept_as_it_is(store: Store) -> None:
    store.put("nfcapd.20261130083000", "good")
    store.put("nfcapd.20261130083030", "junk")
    store.run()
    assert store.store == {
        "2026/11/30/nfcapd.20261130083000": ["good"],
        "2026/11/30/nfcapd.20261130083030": ["junk"],
    }


@pytest.mark.parametrize("after", range(4))
def test_killed_anywhere_nothing_is_lost_or_there_twice(store: Store, after: int) -> None:
    for half in ("00", "30"):
        store.put(f"nfcapd.202611300830{half}", f"m{half}")

    class Killed(BaseException):
        pass

    left = [after]

    def dying(kind: str) -> Any:
        true = getattr(Path, kind)

        def step(self: Path, *words: Any, **more: Any) -> Any:
            if self.name.startswith((".half", "nfcapd.")):
                if not left[0]:
                    raise Killed
                left[0] -= 1
            return true(self, *words, **more)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for kind in ("rename", "unlink"):
            patch.setattr(Path, kind, dying(kind))
        if after < 3:
            with pytest.raises(Killed):
                store.run()
        else:
            store.run()
    (store.base / "store" / ".half").unlink(missing_ok=True)
    store.run()
    assert store.store == {"2026/11/30/nfcapd.20261130083000": ["m00", "m30"]}
    assert store.new == []


def test_the_question_is_one_that_a_shell_reads() -> None:
    said = check.question(check.nonce(), plan().nodes[GATEWAY])
    assert subprocess.run(["sh", "-n"], input=said, text=True, check=False).returncode == 0


# --- the check


class Answers:
    """A collector's answers, one after the other; the last for ever."""

    def __init__(self, *answers: str, rc: int = 0) -> None:
        self.answers, self.rc, self.asked = list(answers), rc, 0

    def __call__(self, name: str) -> Any:
        assert name == COLLECTOR
        return self

    def run(self, _: str) -> Any:
        self.asked += 1
        text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return SimpleNamespace(rc=self.rc, stdout=text, stderr="no nfdump")


SENT = check.Nonce("192.0.2.7", 50001, "5a" * 200, 1)
RECORD = "No matching flows\n       10.0.4.1,       1,     228\n"


def looked(
    monkeypatch: pytest.MonkeyPatch,
    hosts: Answers,
    node: str = GATEWAY,
    probes: bool = True,
    reaches: bool = True,
) -> tuple[list[str], int]:
    """(evidence, packets sent) of the check, on a clock that jumps."""
    clock, sent = [0.0], [0]

    def ask(verb: str, targets: list[list[Any]], timeout_s: float) -> list[str]:
        assert (verb, targets) == ("reach", [["udp", SENT.address, SENT.port, SENT.payload]])
        sent[0] += 1
        return ["silent"]

    def pause(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(check, "monotonic", lambda: clock[0])
    monkeypatch.setattr(check, "sleep", pause)
    monkeypatch.setattr(check, "nonce", lambda: SENT)
    place = SimpleNamespace(side=Side.WAN, segment="users", label="tinh-uy/users")
    there = [SimpleNamespace(place=place, ask=ask)] if probes else []
    access: Any = SimpleNamespace(reaches=lambda _: reaches, acted=frozenset(), platforms={}, simulated=False)
    given: Any = SimpleNamespace(of_site=lambda _: there)
    said = Evidence()
    check.test_a_flow_is_in_the_store(plan().nodes[node], plan(), access, given, hosts, said)
    return said.lines, sent[0]


def test_a_flow_that_is_found_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, sent = looked(monkeypatch, Answers("No matching flows\n", "", "", "", RECORD))
    assert lines[-1] == "found after 25 s"
    assert sent == 2, "again every quarter of a minute"


@pytest.mark.parametrize(
    "said",
    [
        "No matching flows\n",
        RECORD.replace("228", "229"),
        RECORD.replace("10.0.4.1", "10.0.44.1"),
        RECORD.replace(" 1,", " 0,"),
    ],
)
def test_another_flow_is_not_that_flow(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    hosts = Answers(said)
    with pytest.raises(AssertionError, match="not found at tinh-uy-svc-wan within 150 s"):
        looked(monkeypatch, hosts)
    assert hosts.asked == check.WITHIN_S / check.ASK_EVERY_S


def test_a_store_that_does_not_tell_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="no nfdump"):
        looked(monkeypatch, Answers("", rc=255))


def test_what_cannot_be_seen_is_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    for words, more in (
        ("no host of side net runs flows", {"node": "tinh-uy-gw-net"}),
        ("no probe stands behind", {"probes": False}),
        ("is not reached", {"reaches": False}),
    ):
        with pytest.raises(NotAssessed, match=words) as told:
            looked(monkeypatch, Answers(RECORD), **more)
        assert str(told.value).endswith("?")


def test_gear_of_a_vendor_is_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    found = build(loaded(whole()))
    monkeypatch.setattr(__name__ + ".plan", lambda: found)
    with pytest.raises(NotAssessed, match="is mikrotik-routeros: does it tell tinh-uy-svc-wan what passes"):
        looked(monkeypatch, Answers(RECORD), node="loc-ninh-gw-wan")


def test_nonces_are_new() -> None:
    found = {check.nonce() for _ in range(50)}
    assert len(found) == 50
    assert {one.address.rpartition(".")[0] for one in found} == {"192.0.2"}
    ports = {one.port for one in found}
    assert len(ports) > 40 and min(ports) > 49151
