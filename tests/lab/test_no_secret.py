"""No artefact of a full run holds the value of a secret, however it is written down (`tests.lab.traces`).

Looked at: everything under `out/`; everything under `run/` of this lab and of the tools; the layer that each
node has written, with its console and its log; what the commands said; arguments and environment of every
process on this machine, the nodes' included, while secrets are put in place; temporary files of the tools.

Left out, and why:
- `run/lab/<name>/secrets.json`: the store itself, mode 0600, which this test reads the values from;
- the files of `OWN` on the nodes that must have them: there a secret does its work (`Need.nodes` says where);
- `nodes/*/root` and `nodes/*/work`: the first is `upper` over an image made before there were secrets, the
  second is the kernel's;
- other labs under `run/lab/`, and the images of the lab (`run/lab/base`), for the same reasons.
Of the lab's own keys (`id_ed25519`, `ca.key`) each is looked for everywhere but in its own file; the systems
that stand for Central have theirs in `etc/lab/central.key`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from lienthong.lab.place import Place
from lienthong.secrets.names import needs
from lienthong.workspace import Workspace
from tests.lab.conftest import NAME, ROOT, SITES, District
from tests.lab.traces import Sieve, Trace, find, forms

LAB = Place(ROOT, NAME)
MAX_BYTES = 200 * 2**20
#: Where a secret of a family has to lie on the nodes that it is for.
OWN = {
    "ospf": ("etc/frr/frr.conf", "etc/frr/frr.conf.sav"),
    "wireguard": ("etc/wireguard/wg-net.conf",),
    "sip": ("etc/baresip/accounts",),
    "borg": ("etc/lienthong/backup/passphrase",),
    "snmp-auth": ("etc/snmp/snmpd.conf", "etc/prometheus/snmp.yml"),
    "snmp-priv": ("etc/snmp/snmpd.conf", "etc/prometheus/snmp.yml"),
}
#: What is taken away on nodes, so that the next apply has to bring every family anew.
BRING_AGAIN = {
    "loc-ninh-gw-net": "/etc/wireguard/wg-net.conf",
    "loc-ninh-vc": "/etc/baresip/accounts",
    "tinh-uy-reg": "/etc/kamailio/accounts.cfg",
    "tinh-uy-vault-wan": "/etc/lienthong/backup/passphrase",
}


def values() -> dict[str, str]:
    """Every secret of this lab by its name, its keys by their files."""
    found: dict[str, str] = json.loads((LAB.folder / "secrets.json").read_text(encoding="utf-8"))
    for path in [LAB.key_file, *LAB.folder.glob("*/*/*.key")]:
        if "nodes" not in path.parts:
            found[f"file {path.relative_to(LAB.folder)}"] = base64.b64encode(private_part(path)).decode()
    return found


def private_part(path: Path) -> bytes:
    """The number that makes a key a secret; what else its file holds is in public files too."""
    content = path.read_bytes()
    if b"OPENSSH" in content:
        ssh = serialization.load_ssh_private_key(content, None)
        assert isinstance(ssh, ed25519.Ed25519PrivateKey)
        return ssh.private_bytes_raw()
    key = serialization.load_pem_private_key(content, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(32, "big")


def owned(path: Path, name: str, nodes: dict[str, tuple[str, ...]]) -> bool:
    """Whether that secret belongs into that file."""
    if path == LAB.folder / "secrets.json" or name == f"file {path.relative_to(ROOT / 'run/lab' / NAME)}":
        return True
    parts = path.relative_to(LAB.folder).parts
    on_node = len(parts) > 3 and parts[0] == "nodes" and parts[2] == "upper"
    if on_node and parts[1].startswith("central-") and parts[3:] == ("etc", "lab", "central.key"):
        return name == f"file central/{parts[1].removeprefix('central-')}/central.key"
    return (
        on_node
        and parts[1] in nodes.get(name, ())
        and "/".join(parts[3:]) in OWN.get(name.partition("/")[0], ())
    )


def artefacts() -> Iterator[Path]:
    """Every file that a run leaves on this machine, less those that the head of this file names."""
    temporary = [
        path for pattern in ("lienthong-*.txt", "ansible*", "pyinfra*") for path in Path("/tmp").glob(pattern)
    ]
    places = [ROOT / "out", *temporary]
    places += [path for path in (ROOT / "run").iterdir() if path.name != "lab"]
    places += [path for path in LAB.folder.iterdir() if path.name != "nodes"]
    for node in (LAB.folder / "nodes").iterdir():
        places += [path for path in node.iterdir() if path.name not in {"root", "work"}]
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path


@contextmanager
def watched() -> Iterator[set[bytes]]:
    """Arguments and environment of every process of this machine, seen every few milliseconds while it is
    young (it may call `exec`), and twice a second later."""
    seen: set[bytes] = set()
    stop = threading.Event()

    def look() -> None:
        born: dict[str, float] = {}
        swept = 0.0
        while not stop.wait(0.01):
            now = time.monotonic()
            everyone, swept = (True, now) if now - swept > 0.5 else (False, swept)
            there = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
            for process in there:
                if not everyone and now - born.setdefault(process, now) > 1:
                    continue
                for name in ("cmdline", "environ"):
                    try:
                        seen.add(Path("/proc", process, name).read_bytes())
                    except OSError:
                        continue  # it has ended
            for gone in born.keys() - set(there):
                del born[gone]

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def test_no_secret_is_left_anywhere(district: District) -> None:
    for node, path in BRING_AGAIN.items():
        district.on(node, "rm", path)
    with watched() as seen:
        applied = district.run("apply", *SITES)
        assert applied.returncode == 0, applied.stdout
        said = [applied, district.run("apply", *SITES, "--json"), district.run("plan", *SITES, "--json")]
        said.append(district.run("audit", "loc-ninh", "--drill"))
        said.append(district.run("lab", "status"))
        said.append(district.tool("ansible-inventory", "-i", "inventory/hosts.py", "--list"))
        said.append(district.tool("pyinfra", "--dry", "-vvv", "inventory/hosts.py", "deploys/tunnel.py"))
        playbook = ("ansible-playbook", "-vvv", "-i", "inventory/hosts.py", "deploys/baseline.yaml", "--diff")
        said.append(district.tool(*playbook))
    assert len(seen) > 100
    assert any(b"ssh" in process for process in seen)
    if district.first is not None:
        said.append(district.first)
    needles = {name: forms(value) for name, value in values().items()}
    assert len(needles) >= 12
    sieve = Sieve(needles)
    leaks: list[Trace] = []
    for done in said:
        leaks += find(f"said by {done.args}", (done.stdout + done.stderr).encode(), needles, sieve)
    leaks += find("arguments and environments", b"\n".join(sorted(seen)), needles, sieve)
    for node in json.loads(LAB.state_file.read_text(encoding="utf-8"))["management"]:
        # base64 on the way: a log may hold any byte
        log = district.on(node, "sh", "-c", "journalctl --no-pager -o export 2>/dev/null | base64")
        leaks += find(f"log of {node}", base64.b64decode(log), needles, sieve)
    nodes = {str(need.ref): need.nodes for need in needs(Workspace(ROOT, "lab").plan)}
    looked, clean = 0, set[bytes]()
    for file in artefacts():
        assert file.stat().st_size <= MAX_BYTES, f"{file} is too large to be looked through"
        inside = file.is_relative_to(LAB.folder)
        wanted = {name: f for name, f in needles.items() if not (inside and owned(file, name, nodes))}
        looked += 1
        content = file.read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest in clean and len(wanted) == len(needles):
            continue  # nodes have many files in common
        traces = find(str(file), content, wanted, sieve)
        leaks += traces
        if not traces and len(wanted) == len(needles):
            clean.add(digest)
    print(f"no secret: {len(needles)} values in {looked} files, {len(seen)} processes", file=sys.stderr)
    assert looked > 100
    assert leaks == []


def test_what_holds_secrets_is_for_its_owner_only(district: District) -> None:
    for path in [LAB.folder / "secrets.json", LAB.key_file, *LAB.folder.glob("*/*/*.key")]:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("name", sorted(OWN))
def test_each_family_is_where_it_has_to_be(district: District, name: str) -> None:
    """If a secret were nowhere, not finding it elsewhere would prove nothing."""
    nodes = {str(need.ref): need.nodes for need in needs(Workspace(ROOT, "lab").plan)}
    held = 0
    for ref, value in values().items():
        for node in nodes.get(ref, ()) if ref.startswith(f"{name}/") else ():
            for path in OWN[name]:
                file = LAB.node(node) / "upper" / path
                held += file.is_file() and value.encode() in file.read_bytes()
    assert held
