#!/usr/bin/env python3
"""The inventory as Ansible and pyinfra see it: which nodes there are, how they are reached, what roles need.

Ansible runs this file with `--list`; pyinfra executes it and takes the lists it leaves behind (names that
begin with `_` are not looked at). Both see only what the target reaches; `LIENTHONG_SITES=a,b` narrows that.
No secret passes here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PYTHON = _ROOT / ".venv" / "bin" / "python3"
# Ansible starts a script by its first line, which may find a Python without our packages.
_ANOTHER = sys.prefix == sys.base_prefix and _PYTHON.exists()
_INTERPRETER = str(_PYTHON) if _ANOTHER else sys.executable


def _kept() -> str | None:
    """The answer of last time if it still holds; needs neither our packages nor another Python."""
    sys.path.insert(0, str(_ROOT))
    try:
        from lienthong.hostsfile import answered

        return answered(_ROOT, _INTERPRETER)
    except Exception:  # noqa: BLE001 - an older Python, no engine here, no checkout: the long way says it better
        return None
    finally:
        sys.path.remove(str(_ROOT))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--host":
        print("{}")  # everything is told by --list
        sys.exit(0)
    if sys.argv[1:] not in ([], ["--list"]):
        print("usage: hosts.py [--list | --host NAME]", file=sys.stderr)
        sys.exit(2)
    if (_text := _kept()) is not None:
        sys.stdout.write(_text)
        sys.exit(0)
    if _ANOTHER:
        os.execv(_PYTHON, [str(_PYTHON), *sys.argv])  # noqa: S606

import json  # noqa: E402 - what is kept needs none of these
import shlex  # noqa: E402
from collections import Counter  # noqa: E402

from lienthong.errors import LienThongError  # noqa: E402
from lienthong.hostsfile import answer  # noqa: E402
from lienthong.jump import command, options  # noqa: E402
from lienthong.lab.place import place  # noqa: E402
from lienthong.model.intent import Node, ProvincePlan  # noqa: E402
from lienthong.model.words import WAN_LINES, Target  # noqa: E402
from lienthong.target import Access  # noqa: E402
from lienthong.workspace import Workspace, workspace  # noqa: E402

_Vars = dict[str, object]


def _nodes(space: Workspace) -> list[Node]:
    wanted = {slug for slug in os.environ.get("LIENTHONG_SITES", "").split(",") if slug}
    side = space.access.side
    return [
        node
        for node in space.reachable()
        if node.debian and (not wanted or node.site in wanted) and (side is None or node.side.value == side)
    ]


def _groups(node: Node) -> list[str]:
    kinds = ["gear" if node.device else "servers", f"site_{node.site}", f"side_{node.side}"]
    if node.device:
        kinds.append("gateways" if node.is_gateway else "switches")
    return [name.replace("-", "_") for name in [*kinds, *(f"runs_{service}" for service in node.services)]]


def _resolvers(plan: ProvincePlan, node: Node) -> list[str]:
    """The resolver of its own site first; without one, those of the side."""
    if node.runs("dns"):
        return ["127.0.0.1"]
    running = plan.running("dns", node.side)
    near = [server for server in running if server.site == node.site] or running
    return [str(node.segment.gateway if server.is_gateway and server.site == node.site else server.address)
            for server in near]  # fmt: skip


def _role_vars(plan: ProvincePlan, access: Access, node: Node) -> _Vars:
    """What the roles are told, each by its own prefix."""
    allowed = [access.user]
    if node.device:
        allowed.append(access.network_user)
    if node.runs("portal") or node.runs("app"):
        allowed.append("lienthong-fetch")  # the vault of the side fetches documents by a forced command
    lines = [line for line in plan.sites[node.site].uplinks if line.node == node.name]
    found: _Vars = {
        "names_host": node.name,
        "names_fqdn": node.fqdn,
        "names_address": str(node.address),
        "names_resolvers": _resolvers(plan, node),
        "sshd_allow_users": allowed,
        "sysctl_forward": node.is_gateway,
        "sysctl_loose_source_check": sum(line.kind in WAN_LINES for line in lines) > 1,
        "packages_upgrade": node.device is None,
        "audit_kernel": access.has_kernel(node),  # a lab's systems share one, which refuses
        "usb_kernel": access.has_kernel(node),  # and its devices
        "usb_media": node.runs("videoconf"),
        "time_servers": [str(s.address) for s in plan.running("ntp", node.side) if not node.runs("ntp")],
    }
    if node.device:
        found["gear_daemons"] = ["ospfd", "bfdd"] if node.device.routed else []
        public = access.key_file.with_name(access.key_file.name + ".pub")
        if public.exists():
            found["accounts_automation_key"] = public.read_text(encoding="utf-8").strip()
    else:
        found["network_address"] = f"{node.address}/{node.segment.prefix.prefixlen}"
        found["network_gateway"] = str(node.segment.gateway)
    return found


def _ssh_args(access: Access) -> str:
    """Options for every ssh: only the target's host keys are believed; into a lab, through its namespace."""
    args = f"-F none -o UserKnownHostsFile={access.known_hosts} -o GlobalKnownHostsFile=none"
    args += " -o StrictHostKeyChecking=yes"
    if access.jump is not None:
        return f"{args} {shlex.join(options(access))}"
    oob = place(access.root).oob
    if access.target is Target.LAB and oob.exists() and not oob.samefile("/proc/self/ns/net"):
        proxy = f"nsenter --net={oob} {sys.executable} -I -S {access.root / 'lienthong/lab/proxy.py'} %h %p"
        args += f" -o ProxyUseFdpass=yes -o 'ProxyCommand={proxy}'"
    return args


def _ansible(space: Workspace) -> _Vars:
    nodes, plan, access = _nodes(space), space.plan, space.access
    # Said once and not for each node: Ansible's time grows with every value that it reads.
    common: _Vars = {
        "ansible_user": access.user,
        "ansible_ssh_private_key_file": str(access.key_file),
        "ansible_ssh_common_args": _ssh_args(access),
        "ansible_python_interpreter": "/usr/bin/python3",
        "accounts_network_user": access.network_user,
    }
    hostvars: dict[str, _Vars] = {}
    groups: dict[str, dict[str, list[str]]] = {}
    for node in nodes:
        hostvars[node.name] = {
            "ansible_host": str(access.address(node)),
            "lienthong_site": node.site,
            "lienthong_side": node.side.value,
            **_role_vars(plan, access, node),
        }
        for group in _groups(node):
            groups.setdefault(group, {"hosts": []})["hosts"].append(node.name)
    for always in ("gear", "servers"):
        groups.setdefault(always, {"hosts": []})
    _say_once(hostvars, common)
    return {"_meta": {"hostvars": hostvars}, "all": {"vars": common}, **groups}


def _say_once(hostvars: dict[str, _Vars], common: _Vars) -> None:
    """What every node has is said for all with the value that most have; a node says what is its own."""
    nodes = list(hostvars.values())
    for key in sorted(set.intersection(*(set(said) for said in nodes))) if nodes else ():
        counts = Counter(json.dumps(said[key]) for said in nodes)
        most, times = counts.most_common(1)[0]
        if times * 2 > len(nodes):
            common[key] = json.loads(most)
            for said in nodes:
                if said[key] == common[key]:
                    del said[key]


def _config_file(access: Access) -> str:
    """An OpenSSH configuration with nothing but the way through the jump host; an empty one without."""
    if access.jump is None:
        return os.devnull
    path = access.root / "run" / "jump.ssh_config"
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(f"Host *\n  ProxyCommand {shlex.join(command(access))}\n", encoding="utf-8")
    new.replace(path)
    return str(path)


def _pyinfra(space: Workspace) -> dict[str, list[tuple[str, _Vars]]]:
    access = space.access
    if access.target is Target.LAB:
        from lienthong.lab.namespace import enter

        enter(access.root)  # this file runs in pyinfra's own process, before it connects
    config = _config_file(access)
    groups: dict[str, list[tuple[str, _Vars]]] = {}
    for node in _nodes(space):
        data: _Vars = {
            "ssh_hostname": str(access.address(node)),
            "ssh_user": access.user,
            "ssh_key": str(access.key_file),
            "ssh_known_hosts_file": str(access.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_config_file": config,
            "_sudo": True,
        }
        for group in _groups(node):
            groups.setdefault(group, []).append((node.name, data))
    return groups


def _main() -> int:
    try:
        sys.stdout.write(answer(_ROOT, _INTERPRETER, _listed))
    except LienThongError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


def _listed() -> str:
    return json.dumps(_ansible(workspace(_ROOT)), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(_main())
if __name__ == "builtins":
    globals().update(_pyinfra(workspace(_ROOT)))
