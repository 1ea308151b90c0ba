"""Everything that an inventory becomes outside of Python: what devices, hosts, Ansible and readers are given.

Deploys run as they are, as pyinfra runs them; only its operations are replaced by ones that keep what they
were asked for, since there is no node to do it on.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from pyinfra.context import ctx_host, ctx_inventory, ctx_state

import lienthong.hosts.certificates
import lienthong.hosts.deploying as deploying
import lienthong.hosts.issuing
import lienthong.hosts.trust
import lienthong.hosts.webserver as webserver
import lienthong.mirror.pinned
import lienthong.workspace
from lienthong.hosts import nodestate
from lienthong.hosts.claims import Claim
from lienthong.model.finding import AuditRun, Finding, Kind, Status
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.site import Inventory
from lienthong.model.words import Target
from lienthong.plan.build import build
from lienthong.plan.endpoint import endpoint_wanted
from lienthong.plan.wanted import wanted
from lienthong.platforms import discover, platform
from lienthong.render import render, render_endpoint
from lienthong.report import drawing, html, junit, record
from lienthong.services.videoconf import Params as Videoconf
from lienthong.target import Access
from lienthong.workspace import Workspace
from lienthong.ztp.files import files

ROOT = Path(__file__).resolve().parents[1]
DEPLOYS = sorted((ROOT / "deploys").glob("*.py"))
OPERATIONS = ("place", "ruleset", "certificate", "absent", "service", "packages", "group", "user", "command",
              "claim", "tidy")  # fmt: skip
#: What is left of them when they may note what they claim.
BENEATH = ("_place", "_ruleset", "certificate", "_absent", "_service", "packages", "_group", "_user",
           "command", "_tidy")  # fmt: skip
#: The two Netmiko scripts have a `main` and nothing of their own to render.
SCRIPTS = {"lan.py", "internet.py"}
KEY = base64.b64encode(bytes(range(32))).decode()
MAC = "00:15:65:12:34:56"


class Secrets:
    """Values of the right form that are the same for everybody."""

    def get(self, ref: SecretRef) -> Secret:
        return Secret(KEY)

    def public(self, ref: SecretRef) -> str:
        return KEY


def space_of(inventory: Inventory) -> Workspace:
    """A workspace that has read this inventory; its target is the real network, which nobody reaches."""
    found = Workspace(ROOT, "live")
    access = Access(Target.LIVE, ROOT, "lienthong", "netadm", Path("/nowhere/key"), Path("/nowhere/hosts"),
                    {}, Path("/nowhere/secrets"))  # fmt: skip
    vars(found).update(inventory=inventory, plan=build(inventory), access=access, secrets=Secrets())
    return found


def everything(inventory: Inventory) -> dict[str, str]:
    """Text by the name of what it is: `<node> <what>`, or `<site> <what>`.

    Raises:
        lienthong.errors.LienThongError: the inventory loads and cannot be planned.
    """
    space = space_of(inventory)
    found: dict[str, str] = {}
    for node in space.plan.nodes.values():
        found |= _gear(space.plan, node)
    found |= _deployed(space)
    found |= _ansible(space)
    found |= _read(space)
    return found


def _gear(plan: ProvincePlan, node: Node) -> dict[str, str]:
    if node.device is None:
        return _endpoint(plan, node)
    found = {}
    for kind in discover().values():
        if "conference" in kind.capabilities:
            continue  # its devices are hosts of the inventory
        for dialect in kind.dialects:
            lines = render(wanted(plan, node, "netadm"), kind, dialect, ROOT / "templates")
            typed = dialect.commands((), lines)
            text = "\n".join([*(" / ".join(line) for line in lines), *typed])
            found[f"{node.name} {kind.name} {dialect.name}"] = text
    return found


def _endpoint(plan: ProvincePlan, node: Node) -> dict[str, str]:
    """What an endpoint is told, as if every one were of each maker."""
    params = node.services["videoconf"].params if node.runs("videoconf") else None
    if not isinstance(params, Videoconf) or params.number is None:
        return {}
    kind = platform("cisco-roomos")
    (dialect,) = kind.dialects
    told = endpoint_wanted(plan, replace(node, platform=kind.name))
    lines = render_endpoint(told, kind, dialect, ROOT / "templates")
    found = {f"{node.name} {kind.name} {dialect.name}": "\n".join([*dialect.commands((), lines)])}
    for maker in ("yealink", "poly"):
        fetched = files(replace(told, platform=maker, mac=MAC), Secret("Password"), ROOT / "templates")
        for name, text in {**fetched.open, **fetched.once}.items():
            found[f"{node.name} {maker} {name}"] = text
    return found


def claimed(space: Workspace) -> dict[tuple[str, str], frozenset[Claim]]:
    """What each deploy notes as its own, by node and deploy."""
    found: dict[tuple[str, str], frozenset[Claim]] = {}
    with _kept(space, BENEATH):
        state = nodestate.node_state()
        for node in space.plan.nodes.values():
            state.owned.clear()
            with ctx_host.use(SimpleNamespace(name=node.name)):
                for path in DEPLOYS:
                    if path.name not in SCRIPTS:
                        exec(_compiled(path), {"__file__": str(path)})
            found |= {(node.name, topic): claims for topic, claims in state.owned.items()}
    return found


@cache
def _compiled(path: Path) -> CodeType:
    return compile(path.read_text(encoding="utf-8"), str(path), "exec")


def _deployed(space: Workspace) -> dict[str, str]:
    found: dict[str, str] = {}
    with _kept(space) as kept:
        for node in space.plan.nodes.values():
            host = SimpleNamespace(name=node.name)
            for path in DEPLOYS:
                if path.name in SCRIPTS:
                    continue
                kept.clear()
                with ctx_host.use(host):
                    exec(_compiled(path), {"__file__": str(path)})
                for index, (what, text) in enumerate(kept):
                    found[f"{node.name} {path.stem} {index} {what}"] = text
    return found


def _plain(item: object) -> object:
    if isinstance(item, Node):
        return item.name
    return asdict(item) if isinstance(item, deploying.Folder) else str(item)


@contextmanager
def _kept(space: Workspace, operations: tuple[str, ...] = OPERATIONS) -> Iterator[list[tuple[str, str]]]:
    kept: list[tuple[str, str]] = []

    def keeping(operation: str) -> Any:
        def keep(*args: Any, **options: Any) -> None:
            for item in args:
                if isinstance(item, deploying.File):
                    kept.append((item.path, item.content))
            plain = [_plain(item) for item in args if not isinstance(item, deploying.File)]
            kept.append((operation, json.dumps([plain, options], ensure_ascii=False, default=str, indent=1)))

        return keep

    authority = SimpleNamespace(pem="-----CA-----\n")
    state = nodestate.parse([])
    key = f"ssh-ed25519 {KEY}"
    with ExitStack() as stack:
        for module in (deploying, webserver):
            for name in operations:
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, keeping(name)))
        stack.enter_context(patch.object(lienthong.workspace, "workspace", lambda: space))
        for module in (nodestate, deploying):
            stack.enter_context(patch.object(module, "node_state", lambda: state))
        stack.enter_context(patch.object(lienthong.hosts.trust, "host_keys", lambda *_: (key,)))
        stack.enter_context(patch.object(lienthong.hosts.trust, "public_key", lambda *_: key))
        stack.enter_context(patch.object(lienthong.hosts.certificates, "authority", lambda *_: authority))
        stack.enter_context(patch.object(lienthong.hosts.trust, "content_once", lambda *_: ""))
        stack.enter_context(
            patch.object(lienthong.hosts.issuing, "believed", lambda *_: "-----ISSUING-----\n")
        )
        stack.enter_context(patch.object(lienthong.hosts.certificates, "central_authority", lambda *_: "CA"))
        stack.enter_context(patch.object(lienthong.mirror.pinned, "pinned", lambda *_: "-----KEY-----\n"))
        # `admit` of deploys/backup.py is an operation of its own: here it runs as the function it is.
        stack.enter_context(patch("pyinfra.api.operation", lambda: _run_at_once(kept)))
        stack.enter_context(ctx_state.use(SimpleNamespace(is_executing=True)))
        stack.enter_context(ctx_inventory.use(SimpleNamespace(get_host=lambda *_, **__: None)))
        yield kept


def _run_at_once(kept: list[tuple[str, str]]) -> Any:
    def decorate(function: Any) -> Any:
        def run(*args: Any, name: str = "", **options: Any) -> None:
            for command in function(*args, **options):
                stdin = str(command.connector_arguments.get("_stdin", ""))
                kept.append((name, "\n".join([str(command), command.what, stdin])))

        return run

    return decorate


@cache
def hosts_module() -> ModuleType:
    """`inventory/hosts.py` as a module, without its running."""
    spec = importlib.util.spec_from_file_location("hosts_under_test", ROOT / "inventory" / "hosts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _ansible(space: Workspace) -> dict[str, str]:
    with patch.dict(os.environ, {"LIENTHONG_SITES": ""}):
        listed = hosts_module()._ansible(space)
        pyinfra = hosts_module()._pyinfra(space)
    return {
        "all ansible": json.dumps(listed, ensure_ascii=False, indent=1, sort_keys=True, default=str),
        "all pyinfra": json.dumps(pyinfra, ensure_ascii=False, indent=1, sort_keys=True, default=str),
    }


def _read(space: Workspace) -> dict[str, str]:
    """What readers are given of an audit: pages, drawing, JUnit, JSON."""
    plan, noon = space.plan, datetime(2026, 1, 1, 12, tzinfo=UTC)
    found = {}
    for slug, site in plan.sites.items():
        findings = [
            Finding(control="NET-01", check="test_x.py::test_y", description="what is looked at", site=slug,
                    node=node.name, status=Status.FAIL, kind=Kind.READ, detail=f"{flow.id}: {flow.reason}",
                    evidence=(node.fqdn, *node.names))
            for node in site.nodes.values() for flow in site.flows[:1]
        ]  # fmt: skip
        run = AuditRun(target=Target.LIVE, sites=(slug,), drill=False, started=noon, ended=noon, commit="c",
                       version="v", findings=tuple(findings))  # fmt: skip
        found[f"{slug} report.html"] = html.render(run, slug, findings, {}, site)
        found[f"{slug} junit.xml"] = junit.render(run, slug, findings, {})
        found[f"{slug} findings.json"] = record.render(run, slug, findings, {})
        found[f"{slug} drawing.svg"] = drawing.draw(site, {}, standalone=True)
        found[f"{slug} flows"] = "\n".join(f"{flow.id} {flow.reason}" for flow in site.flows)
    return found
