"""A device that lies: escape sequences, markup, formulas, prompts inside output, lines without end.

A real SSH server on loopback says it all, to the real transport. Nothing of it reaches a terminal, a page, a
commit or JSON otherwise than shown, and nothing of it steers the tool.
"""

from __future__ import annotations

import asyncio
import csv
import html.parser
import io
import json
import subprocess
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import asyncssh
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong import table
from lienthong.cli import main
from lienthong.drift.run import Drift
from lienthong.drift.run import run as drift
from lienthong.drift.told import as_data, as_text
from lienthong.errors import LienThongError, Unreachable, visible
from lienthong.model.finding import AuditRun, Finding, Kind, Status
from lienthong.model.intent import Node
from lienthong.model.words import Target
from lienthong.platforms import Dialect, discover
from lienthong.platforms.dialects.frr import FRR
from lienthong.provision import Report
from lienthong.report import html as page
from lienthong.report import junit, sheet
from lienthong.runners import netmiko
from lienthong.target import Access
from lienthong.transport import reading
from lienthong.transport.login import connect
from lienthong.transport.veil import Veil
from tests.boxes import KEY, ROOT, Store, province
from tests.examples import properties

NAME = "loc-ninh-gw-wan"
PROMPT = f"{NAME}# ".encode()
MARK = "zqj"
#: Each stands in a description; all of them would do something somewhere.
WORDS = (
    b"\x1b]0;zqj\x07",
    b"\x1b[2J\x1b[31mzqj",
    b"\xc2\x9b2Jzqj",
    b"\x9b2Jzqj",
    b"\xff\xfezqj",
    b"\xe2\x80\xaezqj",
    b"\xe2\x81\xa6zqj\xe2\x81\xa9",
    b"\xe2\x80\x8bzqj",
    "zqj\U000e0041".encode(),
    b"zqj\x08\x08\x08\x00",
    b"zqj\x85\xc2\x85",
    b'=HYPERLINK("http://x","zqj")',
    b"+zqj",
    b"-zqj",
    b"@zqj",
    b"<script>zqj</script>",
    b"<img src=x onerror=zqj>",
    b"[zqj](javascript:x)",
    b"zqj\xe2\x80\xa8x",
    b"{{ zqj }}",
    b"%s%n zqj",
    b"`zqj`",
    b"$(zqj)",
    PROMPT + b"zqj",
    f"{NAME}(config)# zqj".encode(),
    b"zqj --More--",
    "zqj đơn thư".encode(),
)


def configuration(words: tuple[bytes, ...] = WORDS, more: bytes = b"") -> bytes:
    """What `show running-config` says: an interface of the plan and many of nobody's."""
    lines = [b"Building configuration...", b"", b"Current configuration:", b"!", b"hostname " + NAME.encode(),
             b"ip forwarding", b"interface vlan10", b" ip address 10.9.9.9/24", b"exit"]  # fmt: skip
    for number, word in enumerate(words):
        lines += [f"interface e{number % 20 + 1}".encode(), b" description " + word, b"exit", b"!"]
    return b"\r\n".join([*lines, more, b"end", b""])


def tables(name: str) -> bytes:
    """What `ovs-vsctl` says: one port of that name too many."""

    def rows(headings: list[str], *data: list[Any]) -> str:
        return json.dumps({"headings": headings, "data": [list(row) for row in data]}, ensure_ascii=False)

    uuid = ["uuid", "00000000-0000-0000-0000-000000000001"]
    text = "\n".join([
        rows(["name", "datapath_type", "fail_mode", "external_ids", "ports"],
             ["br-lan", "netdev", "standalone", ["map", [["owner", "lienthong"]]], ["set", [uuid]]]),
        rows(["_uuid", "name", "vlan_mode", "tag", "trunks", "external_ids", "interfaces"],
             [uuid, name, "access", 10, ["set", []], ["map", [["owner", "lienthong"]]], uuid]),
        rows(["_uuid", "name", "type", "error"], [uuid, name, "internal", ["set", []]]),
    ])  # fmt: skip
    return text.encode("utf-8", "surrogatepass").replace(b"\n", b"\r\n") + b"\r\n"


DIALECTS = [dialect for kind in discover().values() for dialect in kind.dialects]
TEXTS = (
    *(word.decode("utf-8", "replace") for word in WORDS),
    *configuration().decode("utf-8", "replace").splitlines()[:12],
    "interface",
    "interface x",
    "#",
    "config system interface",
    "edit",
    'edit "x',
    "set ip",
    "next",
    "end",
    "exit",
    "/ip address",
    "/ip address add",
    "add address=",
    '/interface vlan add name="',
    "set [ find",
    "# /user",
    " 0 name",
    "vlan",
    "ip route",
    "set interfaces",
    "set",
    "aaa",
    "return",
    "*c xConfiguration",
    '*c xConfiguration A: "',
    "{",
    "}",
    '"',
    "ip address",
    "acl",
    " rule",
    "rsa peer-public-key",
    "public-key-code begin",
    "ospf",
    " area",
    "\\",
)


class Device:
    """What the server says; by command of vtysh, and of the shell."""

    def __init__(self) -> None:
        self.banner = ""
        self.motd = b""
        self.config = configuration()
        self.tables = tables(f"\u202e{MARK}\x9b2J=cmd")
        self.prompt = PROMPT
        self.asked: list[str] = []
        self.flood: Callable[[Any], None] | None = None
        self.stale = 1
        self.stale_s: float | None = None
        """So long before each answer a prompt comes that belongs to nothing; None: it does not."""

    def vtysh(self, line: str) -> bytes:
        self.asked.append(line)
        if line.startswith("show running"):
            return self.config
        if line.startswith("terminal"):
            return b""
        return b"% Unknown command: \x1b[31m\xe2\x80\xae<script>zqj\r\n" if line else b""


async def _serve(device: Device, process: asyncssh.SSHServerProcess[bytes]) -> None:
    user = process.get_extra_info("username")
    prompt = device.prompt if user == "netadm" else f"{user}@{NAME}:~$ ".encode()
    process.stdout.write(device.motd + prompt)
    try:
        if device.flood is not None:
            device.flood(process)
        while not process.stdin.at_eof():
            line = (await process.stdin.readline()).decode("utf-8", "replace").rstrip("\r\n")
            if device.stale_s is not None:
                process.stdout.write((b"\r\n" + prompt) * device.stale)
                await process.stdout.drain()
                await asyncio.sleep(device.stale_s)
            process.stdout.write(line.encode() + b"\r\n")
            if user == "netadm":
                process.stdout.write(device.vtysh(line) + prompt)
                continue
            said, _, mark = line.rpartition("; echo ")
            body = device.tables if "ovs-vsctl" in said else b""
            process.stdout.write(body + mark.strip('"').replace("$?", "0").encode() + b"\r\n" + prompt)
    except (asyncssh.Error, OSError):
        pass
    process.exit(0)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    monkeypatch.setattr(reading, "ANSWER_S", 6.0)
    return Device()


@pytest.fixture
def access(device: Device, tmp_path: Path) -> Iterator[Access]:
    """A target with one device: the server."""
    host, mine = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            self.conn = conn

        def begin_auth(self, username: str) -> bool:
            if device.banner:
                self.conn.send_auth_banner(device.banner)
            return True

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return bool(key.public_data == mine.public_data)

    async def begin() -> Any:
        return await asyncssh.create_server(
            Server, "127.0.0.1", 0, server_host_keys=[host], encoding=None, line_editor=False,
            process_factory=lambda process: _serve(device, process),
        )  # fmt: skip

    listener = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    port = listener.get_port()
    mine.write_private_key(str(tmp_path / "key"))
    (tmp_path / "key.pub").write_text(KEY, encoding="utf-8")
    (tmp_path / "known_hosts").write_text(
        f"[127.0.0.1]:{port} {host.export_public_key().decode()}", encoding="utf-8"
    )
    try:
        yield Access(
            Target.LAB, ROOT, "lienthong", "netadm", tmp_path / "key", tmp_path / "known_hosts",
            {NAME: IPv4Address("127.0.0.1")}, tmp_path / "secrets", ports={NAME: port}, simulated=True,
        )  # fmt: skip
    finally:
        loop.call_soon_threadsafe(listener.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def node() -> Node:
    return province().nodes[NAME]


#: A device that says such things would be changed more than the guard lets pass.
ALLOWED = frozenset(f"{rule}@{NAME}" for rule in ("management-path", "login", "large-removal"))


def planned(access: Access) -> tuple[Report, list[str]]:
    said: list[str] = []
    results = netmiko.run(
        access, Store(), province(), [node()], check=True, progress=said.append, allow=ALLOWED
    )
    return Report("plan", tuple(results), 1.0), said


def drifted(access: Access, folder: Path) -> tuple[Drift, list[str]]:
    said: list[str] = []
    return drift(access, Store(), province(), [node()], folder, said.append), said


def steering(text: str) -> list[str]:
    """What would do something else on a terminal than appear."""
    return [
        ascii(c)
        for c in text
        if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    ]


def test_a_plan_shows_what_a_device_says_and_obeys_none_of_it(access: Access) -> None:
    report, _ = planned(access)
    (result,) = report.results
    assert result.outcome in {"changed", "failed"}, result.detail
    assert any(MARK in change for change in result.changes) or MARK in result.detail
    text = table.as_text(report)
    assert MARK in text
    assert steering(text) == []
    document = table.as_json(report, Target.LAB, ["loc-ninh"])
    assert MARK in document
    assert steering(document) == []
    json.loads(document)


def test_drift_keeps_it_harmless(access: Access, device: Device, tmp_path: Path) -> None:
    folder = tmp_path / "configs"
    first, _ = drifted(access, folder)
    assert [one.why for one in first.devices] == [""]
    device.config = configuration(WORDS[5:] + WORDS[:5])
    device.tables = tables(f"=\u2066{MARK}")
    found, _ = drifted(access, folder)
    (one,) = found.devices
    assert one.drift
    assert one.changed
    for text in (as_text(found), json.dumps(as_data(found), ensure_ascii=False)):
        assert MARK in text
        assert steering(text) == []
    log = subprocess.run(
        ["git", "log", "-p", "--format=%an %ae %s %b"], cwd=folder, capture_output=True, check=True
    )
    history = log.stdout.decode("utf-8")
    assert MARK in history
    assert steering(history) == []
    assert found.commits
    again, _ = drifted(access, folder)
    assert again.commits == {}


def test_no_word_of_it_becomes_markup(access: Access) -> None:
    session = connect(access, node(), FRR, Veil(Store(), []))
    said = session.show(FRR.show)
    session.close()
    finding = Finding(
        control="NET-01", check="x.py::x", description=said[:4000], site="loc-ninh", node=NAME,
        status=Status.FAIL, kind=Kind.READ, detail=said, evidence=tuple(said.splitlines()),
    )  # fmt: skip
    now = datetime.now(UTC)
    run = AuditRun(
        target=Target.LAB, sites=("loc-ninh",), drill=False, started=now, ended=now, commit="x", version="1",
        findings=(finding,),
    )  # fmt: skip
    text = page.render(run, "loc-ninh", [finding], {}, province().sites["loc-ninh"])
    tags: list[str] = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(f"{tag} {attrs}")  # type: ignore[method-assign]
    parser.feed(text)
    assert MARK in text
    assert not [tag for tag in tags if MARK in tag]
    assert tags.count("script []") <= 1
    assert steering(text.replace("\t", "")) == []
    assert steering(junit.render(run, "loc-ninh", [finding], {}).replace("\t", "")) == []
    told = sheet.as_csv(run, [finding], {}).removeprefix("\ufeff")
    assert MARK in told
    assert steering(told.replace("\r\n", "").replace("\t", "")) == []
    lines = list(csv.reader(io.StringIO(told, newline="")))
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@", "\t"))]
    book = openpyxl.load_workbook(io.BytesIO(sheet.as_xlsx(run, [finding], {})))
    kinds = {cell.data_type for row in book["findings"].iter_rows() for cell in row if cell.value}
    assert kinds == {"s"}


def test_a_prompt_inside_an_answer_does_not_end_it(access: Access, device: Device) -> None:
    device.config = configuration(
        (), more=PROMPT.rstrip() + b"\r\n" + PROMPT + b"\r\n" + PROMPT + b"x\r\nlast of all\r\n"
    )
    session = connect(access, node(), FRR, Veil(Store(), []))
    assert "last of all" in session.show(FRR.show)
    assert "Unknown" not in session.show(FRR.show)
    session.close()


@pytest.mark.parametrize(("late_s", "prompts"), [(0.0, 1), (0.3, 1), (0.3, 2)])
def test_a_prompt_that_comes_late_is_not_taken_for_the_answer(
    access: Access, device: Device, late_s: float, prompts: int
) -> None:
    """What a slow device sends for an earlier line; taken for an answer, it would seem to hold nothing."""
    session = connect(access, node(), FRR, Veil(Store(), []))
    try:
        whole = session.show(FRR.show)
        device.stale, device.stale_s = prompts, late_s
        assert session.show(FRR.show) == whole
        assert session.show(FRR.show) == whole
        assert session.ask("terminal length 0") == ""
    finally:
        session.close()


def test_a_banner_and_a_greeting_are_not_obeyed(access: Access, device: Device, tmp_path: Path) -> None:
    device.banner = "\x1b[2J\x1b]0;zqj\x07<script>\u202e" * 500
    device.motd = b"\x1b[2J" + PROMPT + b"\r\n\x1b[31mzqj\r\nrefused\r\n% error\r\n"
    found, said = drifted(access, tmp_path / "configs")
    assert [one.seen for one in found.devices] == [True], said
    assert steering(as_text(found)) == []


def test_a_refusal_is_told_without_what_would_act(access: Access) -> None:
    session = connect(access, node(), FRR, Veil(Store(), []))
    with pytest.raises(LienThongError) as caught:
        session.ask("no such word")
    session.close()
    assert MARK in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert steering(visible(str(caught.value))) == []


def test_an_error_that_quotes_a_device_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise Unreachable("x: said \x1b[2J\u202ezqj", hint="\x9bx")

    with pytest.raises(SystemExit):
        main(fails)
    shown = capsys.readouterr().err
    assert MARK in shown
    assert steering(shown) == []
    assert len(shown.splitlines()) == 2


def test_a_line_without_end_is_an_answer_or_an_error_in_time(
    access: Access, device: Device, tmp_path: Path
) -> None:
    device.config = configuration((), more=b" description " + b"A" * 10_000_000 + b"\r\n")
    began = datetime.now(UTC)
    found, said = drifted(access, tmp_path / "configs")
    assert (datetime.now(UTC) - began).total_seconds() < 60
    assert len(as_text(found)) < 20_000
    assert all(len(line) < 2_000 for line in said)
    assert len(json.dumps(as_data(found))) < 100_000


def test_words_without_end_are_an_error(access: Access, device: Device, tmp_path: Path) -> None:
    device.config = b"x" * 20_000_000
    found, _ = drifted(access, tmp_path / "configs")
    (one,) = found.devices
    assert not one.seen
    assert one.why
    assert len(as_text(found)) < 2_000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}\r\n{}\r\n{}\r\n",
        b"{\r\n",
        b"[1]\r\n" * 3,
        b'{"headings": [], "data": [[1]]}\r\n' * 3,
        b"\xff\r\n",
        b"{" * 5000,
    ],
)
def test_an_answer_that_makes_no_sense_is_a_device_not_seen(
    access: Access, device: Device, tmp_path: Path, answer: bytes
) -> None:
    device.tables = answer
    found, _ = drifted(access, tmp_path / "configs")
    assert found.exit_code == 3
    assert not found.devices[0].seen
    report, _ = planned(access)
    assert [result.outcome for result in report.results] == ["failed"]


class Garbled:
    """A session whose answers a dialect stumbles over."""

    def show(self, command: str) -> str:
        raise KeyError(command)

    def close(self) -> None: ...


def test_what_a_dialect_stumbles_over_stops_no_other_device(access: Access, tmp_path: Path) -> None:
    said: list[str] = []
    garbled: Any = lambda node, dialect, veil: Garbled()  # noqa: ARG005, E731
    found = drift(access, Store(), province(), [node()], tmp_path / "x", said.append, garbled)
    assert found.exit_code == 3
    assert "cannot be read" in found.devices[0].why


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@properties(60)
@given(lines=st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=40)), max_size=12))
def test_a_dialect_reads_anything_or_says_that_it_cannot(dialect: Dialect, lines: list[str]) -> None:
    with suppress(LienThongError):
        for line in dialect.parse("\n".join(lines)):
            dialect.owns(line, frozenset())
            dialect.interfaces(line)
            dialect.vlans(line)


def test_a_device_with_another_prompt_is_not_waited_for_long(
    access: Access, device: Device, tmp_path: Path
) -> None:
    device.prompt = b"\x1b[31mzqj \xff> \x1b[0m"
    found, said = drifted(access, tmp_path / "configs")
    assert len(found.devices) == 1
    assert steering("".join(said)) == []


def test_only_what_is_on_record_is_believed(access: Access, tmp_path: Path) -> None:
    wrong = replace(access, known_hosts=tmp_path / "none")
    with pytest.raises(Unreachable, match="no host key is on record") as caught:
        connect(wrong, node(), FRR, Veil(Store(), []))
    assert caught.value.hint.endswith(f"lienthong trust {NAME}")
