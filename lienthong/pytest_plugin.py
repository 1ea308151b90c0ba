"""Makes plain `pytest checks/ --site=loc-ninh` an audit: checks over sites and nodes, and their findings.

It acts only on the checks folder of a workspace; other pytest runs see nothing of it but a few options.
Works as the installed entry point and as `-p lienthong.pytest_plugin`.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from lienthong.audit import item as of
from lienthong.audit.item import EVIDENCE, Task
from lienthong.audit.run import ITSELF
from lienthong.audit.session import CheckSession, chosen_sites
from lienthong.checks import Evidence, Mark, NotAssessed, mark_of, not_applicable
from lienthong.errors import LienThongError, Unreachable
from lienthong.model.finding import Control, Finding, Kind, Status
from lienthong.model.intent import Node
from lienthong.root import find_root
from lienthong.workspace import workspace

OWN_NAME = "lienthong.pytest_plugin"
#: What a check may ask for and still run beside others.
SHARED = frozenset(
    {
        "site", "plan", "access", "secrets", "probes", "hosts", "facts_of", "node", "host", "facts", "device",
        "evidence",
    }
)  # fmt: skip
WORKERS = 14
#: Why a check that asks for more than a command line is not assessed on simulated devices alone.
NO_SYSTEM = (
    "simulated devices answer for their command line only; how is it on a lab of real systems, or live?"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--hosts` is Testinfra's and means nodes here."""
    group = parser.getgroup("lienthong", "audit of sites (acts on the checks folder only)")
    group.addoption("--site", action="append", default=[], help="slugs of the audited sites, with commas")
    group.addoption("--target", default=None, help="lab or live")
    group.addoption("--drill", action="store_true", help="also run checks that disturb")
    group.addoption("--gear", action="store_true", help="only what a change of gear must leave as it was")
    group.addoption("--control", action="append", default=[], help="only these controls, with commas")
    group.addoption("--findings", default=None, metavar="FILE", help="write findings there as JSON lines")


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Given by `-p`, it must not be registered again as the installed entry point."""
    if getattr(plugin, "__name__", "") == OWN_NAME and manager.get_name(plugin) == OWN_NAME:
        manager.set_blocked("lienthong")


def pytest_configure(config: pytest.Config) -> None:
    """Register everything else late, and only where a workspace's checks are asked for."""
    folder = _checks_folder(config)
    if folder is not None and not config.option.help:
        config.pluginmanager.register(Checks(config, folder), "lienthong-checks")


def _checks_folder(config: pytest.Config) -> Path | None:
    """The checks folder this run is about, None if it is about something else."""
    try:
        folder = find_root(config.invocation_params.dir) / "checks"
    except LienThongError:
        return None
    for argument in config.args:
        path = (config.invocation_params.dir / argument.split("::")[0]).resolve()
        if path == folder.resolve() or folder.resolve() in path.parents:
            return folder
    return None


class Checks:
    """The plugin proper; its fixtures win over those of other plugins because it registers last."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.real = folder.resolve()
        """pytest finds files by their real place, and a checkout may have its checks from elsewhere."""
        self.session: CheckSession | None = None
        self.catalogue: dict[str, Control] = {}
        self.tasks: dict[str, Task] = {}
        self.pool: ThreadPoolExecutor | None = None
        path = config.getoption("findings")
        self.out = Path(path).open("w", encoding="utf-8") if path else None  # noqa: SIM115

    # -- collection ---------------------------------------------------------------------------------

    def pytest_sessionstart(self) -> None:
        """Load the workspace and begin to look, before any thread runs."""
        from lienthong.audit.catalogue import load

        option = self.config.option
        try:
            ws = workspace(self.folder.parent, option.target)
            sites = chosen_sites(ws, _words(option.site))
            self.catalogue = load(ws.root)
            self.session = CheckSession(ws, sites, option.drill, option.gear)
            if not option.collectonly:
                self.session.open()
        except LienThongError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_report_header(self) -> str:
        if self.session is None:
            return ""
        access = self.session.ws.access
        return f"target: {access.target.value}, sites: {', '.join(self.session.sites)}"

    @property
    def open_session(self) -> CheckSession:
        assert self.session is not None
        return self.session

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One item for every site, or for every node that matches."""
        mark = mark_of(metafunc.function)
        if mark is None or not self._is_ours(metafunc.definition):
            return
        session = self.open_session
        places: list[tuple[str, str | None]] = []
        if mark.nodes is None:
            places = [(slug, None) for slug in session.sites]
        else:
            named = set(_words([self.config.option.hosts or ""]))
            for slug in session.sites:
                here = self._matching(mark, slug)
                there = [node for node in here if session.ws.access.reaches(node)]
                places += [(slug, node.name) for node in there if not named or node.name in named]
                if not there:
                    places.append((slug, None))  # counted in the open: not applicable, or not assessed
        ids = [node or slug for slug, node in places]
        metafunc.fixturenames.append("_place")
        metafunc.parametrize("_place", places, ids=ids, indirect=True)

    def _matching(self, mark: Mark, slug: str) -> list[Node]:
        """The nodes of a site that a check is about, whether or not this target has them."""
        every = self.open_session.nodes()
        return [node for node in every if node.site == slug and mark.nodes and mark.nodes.matches(node)]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only the controls asked for; drills last; say what was collected."""
        if self.open_session.gear:
            items[:] = [item for item in items if (m := of.mark(item)) and m.gear]
        wanted = set(_words(self.config.option.control))
        ours = [item for item in items if self._is_ours(item)]
        if wanted:
            dropped = [item for item in ours if (m := of.mark(item)) and m.control not in wanted]
            dropped += [
                item for item in ours if (m := of.mark(item)) and m.lab_only and not self.open_session.in_lab
            ]
            items[:] = [item for item in items if item not in dropped]
        elif not self.open_session.in_lab:
            items[:] = [item for item in items if not ((m := of.mark(item)) and m.lab_only)]
        items.sort(key=self._order)
        for item in items:
            if self._is_ours(item):
                self._write({"collected": self._about(item)})

    def _order(self, item: pytest.Item) -> int:
        mark = of.mark(item)
        if mark is None:
            return 0
        return 2 if mark.kind is Kind.DRILL else 1 if mark.alone or not self._shares(item) else 0

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that does not even load is an error finding, not silence."""
        if report.failed:
            self._write({"finding": self._broken(report).model_dump(mode="json")})

    def _broken(self, report: pytest.CollectReport) -> Finding:
        return Finding(
            control=ITSELF,
            check=Path(report.nodeid).name or "checks",
            description="the file of checks could not be loaded",
            site=self.open_session.sites[0],
            node=None,
            status=Status.ERROR,
            kind=Kind.READ,
            detail=report.longreprtext[-2000:],
        )

    # -- running ------------------------------------------------------------------------------------

    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Start every check that can share, in threads; pytest then takes the results in its own order."""
        if self.config.option.collectonly or self.config.option.setupshow:
            return
        self.pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="check")
        ready = [item for item in session.items if self._order(item) == 0 and self._is_ours(item)]
        # Traffic takes longest and waits most, so it starts first.
        for item in sorted(ready, key=lambda item: getattr(of.mark(item), "kind", None) is not Kind.PROBE):
            mark, (_, node) = of.mark(item), of.place(item)
            if self.open_session.ws.access.simulated and "device" not in item.fixturenames:  # type: ignore[attr-defined]
                continue  # not assessed, see there
            if isinstance(item, pytest.Function) and mark is not None and (node or mark.nodes is None):
                task = self.tasks[item.nodeid] = Task()
                task.future = self.pool.submit(self._run, item, task)

    def _shares(self, item: pytest.Item) -> bool:
        """Whether a check asks only for what threads may share."""
        names = getattr(item, "fixturenames", ())
        return all(name in SHARED for name in names if not name.startswith("_") and name != "request")

    def _run(self, item: pytest.Function, task: Task) -> None:
        """The body of one check, with what it asks for."""
        started = monotonic()
        try:
            function = item.function
            names = [name for name in item._fixtureinfo.argnames if name in SHARED]
            function(**self._values(item, names, task.evidence))
        finally:
            task.seconds = monotonic() - started

    def _values(self, item: pytest.Item, names: list[str], evidence: Any) -> dict[str, Any]:
        slug, node = of.place(item)
        session = self.open_session
        if node is not None and not session.ws.access.reaches(session.ws.node(node)):
            raise Unreachable(f"{node} is not reached by this target")
        shelf = session.values(slug, node)
        values: dict[str, Any] = {}
        for name in names:
            if name == "evidence":
                values[name] = evidence
            elif name == "facts":
                values[name] = session.facts(str(node))
            elif name == "device":
                values[name] = session.device(str(node))
            elif name == "host":
                session.facts(str(node))  # says at once, and for all, that there is no login
                values[name] = session.host(str(node))
            else:
                values[name] = shelf[name]
        return values

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Drills wait until nothing else looks; without `--drill` they are counted as not done."""
        mark = of.mark(item)
        if mark is None:
            if self._is_ours(item):
                raise LienThongError(
                    "the check has no @control mark", hint="from lienthong.checks import control"
                )
            return
        if mark.control not in self.catalogue:
            raise LienThongError(f"{mark.control} is not in the catalogue checks/controls.yaml")
        if mark.kind is Kind.DRILL and not self.open_session.drill:
            raise NotAssessed("a drill, which disturbs: run it with --drill in the lab or in a window")
        slug, node = of.place(item)
        if node is None and mark.nodes is not None:
            absent = self._matching(mark, slug)
            names = ", ".join(one.name for one in absent)
            if absent and {one.name for one in absent} <= self.open_session.ws.access.absent:
                not_applicable(f"lab: started without {names}")
            if absent:
                raise NotAssessed(f"not in this lab: {names}")
            beyond = [
                one for one in self.open_session.beyond() if one.site == slug and mark.nodes.matches(one)
            ]
            if beyond:
                names = ", ".join(one.name for one in beyond)
                raise NotAssessed(f"of the other side: what does that side's controller find of {names}?")
            not_applicable(f"inventory: {slug} has not {mark.nodes.words}")
        if self.open_session.ws.access.simulated and "device" not in getattr(item, "fixturenames", ()):
            raise NotAssessed(NO_SYSTEM)
        if self._order(item):
            for task in self.tasks.values():
                if task.future is not None:
                    task.future.exception()

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Take the result of the thread."""
        task = self.tasks.get(pyfuncitem.nodeid)
        if task is None or task.future is None:
            return None
        task.future.result()
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """One finding for each item, written once its teardown is over."""
        report = yield
        if self._is_ours(item):
            of.note(item, call)
            if call.when == "teardown":
                task = self.tasks.get(item.nodeid)
                found = of.finding(item, task, self.open_session.sites[0])
                self._write({"finding": found.model_dump(mode="json")})
                held = of.seen(item, task).held
                if self.open_session.gear and held:
                    self._write({"held": held, **self._about(item)})
        return report

    def _about(self, item: pytest.Item) -> dict[str, Any]:
        return of.about(item, self.open_session.sites[0])

    def _is_ours(self, item: pytest.Item) -> bool:
        return self.real in item.path.resolve().parents

    def _write(self, record: dict[str, Any]) -> None:
        if self.out is not None:
            self.out.write(json.dumps(record, ensure_ascii=False) + "\n")
            self.out.flush()

    def pytest_sessionfinish(self) -> None:
        """Close whatever is open, also after an interruption."""
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
        if self.session is not None:
            self.session.close()
        if self.out is not None:
            self.out.close()

    # -- fixtures, for checks that run by themselves ------------------------------------------------

    @pytest.fixture(name="_place")
    def place_fixture(self, request: pytest.FixtureRequest) -> tuple[str, str | None]:
        """(site, node) of this item."""
        return request.param  # type: ignore[no-any-return]

    @pytest.fixture(name="evidence")
    def evidence_fixture(self, request: pytest.FixtureRequest) -> Any:
        """Call it with a line that was seen; it stands in the report."""
        said: Evidence = request.node.stash.setdefault(EVIDENCE, Evidence())
        return said


def _fixture(name: str) -> Any:
    def give(self: Checks, request: pytest.FixtureRequest) -> Any:
        return self._values(request.node, [name], None)[name]

    give.__doc__ = f"`{name}` of the item's place"
    return pytest.fixture(name=name)(give)


for _name in sorted(SHARED - {"evidence"}):
    setattr(Checks, f"{_name}_fixture", _fixture(_name))


def _words(values: list[str]) -> list[str]:
    return [word for value in values for word in value.split(",") if word]
