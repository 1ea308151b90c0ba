"""`inventory/hosts.py` as Ansible and pyinfra see it, run as they run it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from lienthong.hostsfile import ROOMS, VARIABLES
from lienthong.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ROOT / "inventory" / "hosts.py"
LAB = {"loc-ninh-gw-wan": "10.255.0.11", "loc-ninh-srv": "10.255.0.12", "tinh-uy-svc-wan": "10.255.0.13"}
PUBLIC = "ssh-ed25519 AAAAPUBLIC lienthong"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with this inventory and the state of a lab that runs three nodes."""
    (tmp_path / "inventory").symlink_to(ROOT / "inventory")
    lab = tmp_path / "run" / "lab" / "t"
    lab.mkdir(parents=True)
    (lab / "state.json").write_text(json.dumps({"management": LAB}))
    (lab / "id_ed25519").write_text("PRIVATE-MARK")
    (lab / "id_ed25519.pub").write_text(PUBLIC + "\n")
    (lab / "secrets.json").write_text(json.dumps({"ospf/loc-ninh": "SECRET-MARK"}))
    return tmp_path


def script(checkout: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    env = {**kept, "LIENTHONG_ROOT": str(checkout), "LIENTHONG_LAB": "t", **variables}
    return subprocess.run(
        [sys.executable, HOSTS, *words], env=env, capture_output=True, text=True, check=False
    )


def listed(checkout: Path, **variables: str) -> dict[str, Any]:
    done = script(checkout, "--list", **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    common = found["all"]["vars"]
    nodes = found["_meta"]["hostvars"]
    # what Ansible makes of it: the node's own word over that for all
    found["_meta"]["hostvars"] = {name: {**common, **said} for name, said in nodes.items()}
    return found


def test_only_what_the_lab_runs_is_listed(checkout: Path) -> None:
    seen = listed(checkout)
    assert set(seen["_meta"]["hostvars"]) == set(LAB)
    assert seen["gateways"]["hosts"] == ["loc-ninh-gw-wan"]
    assert set(seen["servers"]["hosts"]) == {"loc-ninh-srv", "tinh-uy-svc-wan"}
    assert set(seen["site_loc_ninh"]["hosts"]) == {"loc-ninh-gw-wan", "loc-ninh-srv"}
    assert seen["runs_ntp"]["hosts"] == ["tinh-uy-svc-wan"]
    assert seen["_meta"]["hostvars"]["loc-ninh-srv"]["ansible_host"] == "10.255.0.12"


def test_sites_narrow_the_list(checkout: Path) -> None:
    assert set(listed(checkout, LIENTHONG_SITES="tinh-uy")["_meta"]["hostvars"]) == {"tinh-uy-svc-wan"}


def test_host_keys_are_always_verified(checkout: Path) -> None:
    for target in ("lab", "live"):
        for node in listed(checkout, LIENTHONG_TARGET=target)["_meta"]["hostvars"].values():
            assert "StrictHostKeyChecking=yes" in node["ansible_ssh_common_args"]
    lab = str(checkout / "run" / "lab" / "t" / "known_hosts")
    assert (
        f"UserKnownHostsFile={lab}"
        in listed(checkout)["_meta"]["hostvars"]["loc-ninh-srv"]["ansible_ssh_common_args"]
    )


def test_no_secret_leaves(checkout: Path) -> None:
    done = script(checkout, "--list")
    assert "MARK" not in done.stdout + done.stderr
    assert PUBLIC in done.stdout


def test_live_takes_the_addresses_of_the_plan_and_no_way_into_a_lab(checkout: Path) -> None:
    space = Workspace(checkout, "live")
    hostvars = listed(checkout, LIENTHONG_TARGET="live")["_meta"]["hostvars"]
    assert set(hostvars) == set(space.plan.nodes)
    for name, node in space.plan.nodes.items():
        assert hostvars[name]["ansible_host"] == str(node.address)
        assert "ProxyCommand" not in hostvars[name]["ansible_ssh_common_args"]
        assert "10.255." not in json.dumps(hostvars[name])


def test_without_a_target_it_says_so(checkout: Path) -> None:
    done = script(checkout, "--list", LIENTHONG_LAB="another")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--target live" in done.stderr


def test_a_host_alone_is_answered_without_loading_anything(checkout: Path) -> None:
    done = script(checkout, "--host", "loc-ninh-srv", LIENTHONG_LAB="another")
    assert (done.returncode, json.loads(done.stdout)) == (0, {})


def copied(tmp_path: Path) -> Path:
    """A checkout of its own: engine, inventory, lock and a live target's key."""
    for name in ("lienthong", "inventory", "lock"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    (tmp_path / "home" / ".ssh" / "id_ed25519.pub").write_text(PUBLIC)
    lab = tmp_path / "run" / "lab" / "t"
    lab.mkdir(parents=True)
    (lab / "state.json").write_text(json.dumps({"management": LAB}))
    (lab / "id_ed25519.pub").write_text(PUBLIC)
    return tmp_path


def asked(root: Path, **variables: str) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(root / "home"), "LIENTHONG_TARGET": "live"}
    env["PYTHONDONTWRITEBYTECODE"] = "1"  # Python's own cache does look at the clock
    done = subprocess.run(
        [sys.executable, root / "inventory" / "hosts.py", "--list"],
        env={**env, "PYTHONPATH": str(root), **variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def entries(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "run" / "cache" / "hosts").iterdir()}


def test_a_second_answer_is_the_first_to_the_byte(tmp_path: Path) -> None:
    root = copied(tmp_path)
    first = asked(root)
    (before,) = entries(root).items()
    assert asked(root) == first
    assert entries(root) == dict([before])
    # and it is really the kept one that is said
    text = before[1].partition(b"\n")[2]
    head = before[1].partition(b"\n")[0].rpartition(b" ")[0]
    other = text.replace(b"loc-ninh", b"loc-nynh")
    path = tmp_path / "run" / "cache" / "hosts" / before[0]
    path.write_bytes(head + b" " + hashlib.sha256(other).hexdigest().encode() + b"\n" + other)
    assert "loc-nynh" in asked(root)
    path.write_bytes(head + b" " + hashlib.sha256(text).hexdigest().encode() + b"\n" + other)
    assert asked(root) == first, "an entry that is not whole is not believed"


CHANGES = [
    ("inventory/sites/loc-ninh.yaml", "number: 5", "number: 55"),
    ("inventory/layers/country.yaml", "id: 2", "id: 3"),
    ("inventory/layers/province.yaml", "domain: binhphuoc.", "domain: binhphuok."),
    ("inventory/hosts.py", '/usr/bin/python3"', '/usr/bin/python4"'),
    ("lienthong/target.py", 'user="lienthong"', 'user="lienthonk"'),
    ("home/.ssh/id_ed25519.pub", "AAAAPUBLIC", "AAAAPUBLIK"),
    ("run/lab/t/state.json", "10.255.0.11", "10.255.0.91"),
    ("run/lab/t/id_ed25519.pub", "AAAAPUBLIC", "AAAAPUBLIK"),
]


def test_whatever_an_answer_is_made_with_counts(tmp_path: Path) -> None:
    root = copied(tmp_path)
    code = (
        "import json, runpy, sys\n"
        "import lienthong.hostsfile as kept\n"
        "kept.answered, kept.answer = (lambda *a: None), (lambda c, p, make: make())\n"
        "sys.argv = ['hosts.py', '--list']\n"
        "try: runpy.run_path('inventory/hosts.py', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "names = sorted(name for name in sys.modules if name.startswith('lienthong.'))\n"
        "print('modules', json.dumps(names))\n"
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(root / "home"), "LIENTHONG_TARGET": "live"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={**env, "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = json.loads(done.stdout.rpartition("modules ")[2])
    assert len(modules) > 10
    rooms = {room.removesuffix(".py") for room in ROOMS}
    assert {name.split(".")[1] for name in modules} <= rooms


def test_a_changed_byte_anywhere_gives_a_new_answer(tmp_path: Path) -> None:
    root = copied(tmp_path)
    lab = {"LIENTHONG_TARGET": "lab", "LIENTHONG_LAB": "t"}
    first = {name: asked(root, **question) for name, question in (("live", {}), ("lab", lab))}
    for name, old, new in CHANGES:
        target = "lab" if name.startswith("run/") else "live"
        file = root / name
        times = file.stat()
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # what a clock says is not looked at
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
            compiled.unlink()  # Python's own cache, once more
        assert asked(root, **(lab if target == "lab" else {})) != first[target], name
        file.write_text(text, encoding="utf-8")
    assert asked(root) == first["live"]
    assert asked(root, **lab) == first["lab"]


def test_what_the_environment_says_is_part_of_the_question(tmp_path: Path) -> None:
    root = copied(tmp_path)
    (root / "key.pub").write_text(PUBLIC.replace("PUBLIC", "OTHER"))
    questions: list[dict[str, str]] = [
        {},
        {"LIENTHONG_SITES": "tinh-uy"},
        {"LIENTHONG_SIDE": "net"},
        {"LIENTHONG_KEY": str(root / "key")},
        {"LIENTHONG_TARGET": "lab", "LIENTHONG_LAB": "t"},
    ]
    answers = [asked(root, **question) for question in questions]
    assert len(set(answers)) == len(questions)
    assert [asked(root, **question) for question in questions] == answers
    assert len(entries(root)) == len(questions)


def test_no_variable_is_forgotten() -> None:
    """Whatever the engine reads from the environment is part of the question, or never reaches the answer."""
    elsewhere = {"LIENTHONG_PKI", "LIENTHONG_ANSWER_S", "LIENTHONG_ACCEL"}  # of deploys, sessions, the lab
    read = set()
    for path in [HOSTS, *(ROOT / "lienthong").rglob("*.py")]:
        read |= set(re.findall(r"environ[^\n]*?\"(LIENTHONG_[A-Z_]+)\"", path.read_text(encoding="utf-8")))
    assert {"LIENTHONG_SIDE", "LIENTHONG_KEY"} < read
    assert read - elsewhere <= set(VARIABLES)


def test_a_kept_answer_needs_no_package_and_a_mistake_is_never_kept(tmp_path: Path) -> None:
    root = copied(tmp_path)
    first = asked(root)
    code = (
        "import runpy, sys; sys.argv = [sys.argv[1], '--list']\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, root / "inventory" / "hosts.py"],
        env={"PATH": os.environ["PATH"], "HOME": str(root / "home"), "LIENTHONG_TARGET": "live"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == first
    assert not {"pydantic", "yaml", "typer", "ryml", "lienthong.inventory"} & set(done.stderr.split())
    file = root / "inventory" / "sites" / "loc-ninh.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "nonsense: 1\n", encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        asked(root)
    assert "unknown key nonsense" in caught.value.stderr
    assert len(entries(root)) == 1


def test_pyinfra_sees_the_same_nodes(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_ROOT", str(checkout))
    monkeypatch.setenv("LIENTHONG_TARGET", "live")
    left: dict[str, Any] = {"__file__": str(HOSTS)}
    exec(compile(HOSTS.read_text(encoding="utf-8"), HOSTS, "exec"), left)
    groups = {
        name: [host for host, _ in value]
        for name, value in left.items()
        if not name.startswith("_") and isinstance(value, list)
    }
    ansible = listed(checkout, LIENTHONG_TARGET="live")
    assert groups == {name: group["hosts"] for name, group in ansible.items() if group.get("hosts")}
    assert all(data["ssh_strict_host_key_checking"] == "yes" for _, data in left["gear"])


def test_the_roles_get_what_their_argument_specs_ask_for(checkout: Path) -> None:
    (checkout / "key").write_text("PRIVATE-MARK")
    (checkout / "key.pub").write_text(PUBLIC)
    seen = listed(checkout, LIENTHONG_TARGET="live", LIENTHONG_KEY=str(checkout / "key"))
    known = set()
    for role in sorted((ROOT / "roles").iterdir()):
        specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
        defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text()) or {}
        for entry, spec in specs.items():
            options = spec.get("options", {})
            known |= set(options)
            group = {"network": "servers", "gear": "gear"}.get(role.name if entry == "main" else "gear")
            names = seen[group]["hosts"] if group else seen["_meta"]["hostvars"]
            for name in names:
                hostvars = {**defaults, **seen["_meta"]["hostvars"][name]}
                given = {key: value for key, value in hostvars.items() if key in options}
                wrong = ArgumentSpecValidator(options).validate(given).error_messages
                assert not wrong, f"{role.name} on {name}: {wrong}"
        assert set(defaults) <= known, f"{role.name} has a default that no argument spec describes"
    for name, hostvars in seen["_meta"]["hostvars"].items():
        others = {v for v in hostvars if not v.startswith(("ansible_", "lienthong_"))}
        assert others <= known, f"{name}: no role takes {others - known}"


def test_a_gateway_forwards_and_a_server_does_not(checkout: Path) -> None:
    hostvars = listed(checkout)["_meta"]["hostvars"]
    gateway, server = hostvars["loc-ninh-gw-wan"], hostvars["loc-ninh-srv"]
    assert (gateway["sysctl_forward"], gateway["sysctl_loose_source_check"]) == (True, True)
    assert (server["sysctl_forward"], server["sysctl_loose_source_check"]) == (False, False)
    assert server["network_address"].endswith("/24")
    assert "network_address" not in gateway
    assert gateway["names_resolvers"] == ["127.0.0.1"]
    assert server["names_resolvers"] == [server["network_gateway"]]
    assert hostvars["tinh-uy-svc-wan"]["time_servers"] == []
    assert len(server["time_servers"]) >= 1
