"""A window on a real gateway: opened, used once by the right endpoint, and gone with everything of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property

import pytest

from lienthong.errors import LienThongError
from lienthong.hosts.certificates import authority, sign, utc_now
from lienthong.lab.namespace import inside
from lienthong.lab.place import Place as Lab
from lienthong.plan.endpoint import endpoint_wanted
from lienthong.target import resolve
from lienthong.workspace import Workspace
from lienthong.ztp import remote, window
from lienthong.ztp.files import files
from tests.lab.conftest import NAME, ROOT, District

GATEWAY, ENDPOINT, OTHER = "loc-ninh-gw-wan", "loc-ninh-vc", "loc-ninh-srv"
CA = "/etc/lienthong/pki/ca.crt"
LOOK = (
    "systemctl is-active lienthong-ztp; ls /run/lienthong-ztp /etc/nftables.d 2>&1; "
    "nft list chain inet lienthong policy_input | grep ztp"
)


class Opened:
    """The lab's endpoint as one that fetches its file."""

    def __init__(self, district: District, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIENTHONG_LAB", NAME)
        self.district = district
        self.ws = Workspace(ROOT, "lab")
        self.access = resolve(ROOT, "lab")
        room = self.ws.site("loc-ninh").segments["conference"]
        self.place = window.place(self.ws.plan, "loc-ninh", room)
        self.mac = district.on(ENDPOINT, "cat", "/sys/class/net/eth0/address").strip()
        node = replace(self.ws.plan.nodes[ENDPOINT], platform="yealink")
        wanted = replace(endpoint_wanted(self.ws.plan, node), mac=self.mac)
        found = files(wanted, self.ws.secrets.get(wanted.password), ROOT / "templates")
        self.guest = window.Guest(wanted, found, window.token())

    @cached_property
    def url(self) -> str:
        return self.guest.url(self.place.address, window.PORT)

    @property
    def file(self) -> str:
        return self.mac.replace(":", "") + ".cfg"

    @contextmanager
    def there(self) -> Iterator[None]:
        with inside(Lab(ROOT, NAME).oob):
            yield

    def open(self, seconds: int, certificate: str = "") -> None:
        with self.there():
            request = remote.request(self.access, self.place.node)
            by = authority(self.access, self.place.node.side, self.ws.secrets)
            signed = sign(request, replace(self.place.node, address=self.place.address), by, utc_now())
            until = int(time.time()) + seconds
            opened = window.Window("loc-ninh", self.place, (self.guest,), until)
            remote.open_(self.access, opened, certificate or signed, ROOT / "templates")

    def status(self) -> remote.Status:
        with self.there():
            return remote.status(self.access, self.place.node)

    def close(self) -> None:
        with self.there():
            remote.close(self.access, self.place.node)

    def get(self, node: str, url: str) -> str:
        """HTTP status and the first words of the answer, or curl's complaint."""
        ask = f"curl -sS -o - -w '%{{http_code}}' --max-time 5 --cacert {CA} {url} 2>&1 | head -c 4000; true"
        return self.district.on(node, "sh", "-c", ask)

    def on_gateway(self, script: str) -> str:
        return self.district.on(GATEWAY, "sh", "-c", f"{script}; true")


@pytest.fixture
def opened(district: District, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    found = Opened(district, monkeypatch)
    yield found
    with suppress(LienThongError):
        found.close()


def nothing_left(opened: Opened) -> None:
    said = opened.on_gateway(LOOK)
    assert "70-ztp.nft" not in said
    assert "ztp." not in said
    assert "cannot access '/run/lienthong-ztp'" in said
    assert said.split()[0] in {"inactive", "failed"}


def test_the_right_endpoint_gets_its_file_once_and_nobody_else_any(opened: Opened) -> None:
    opened.open(60)
    assert opened.status().open
    with pytest.raises(LienThongError, match="a window is open already"):
        opened.open(60)
    assert 'comment "ztp.loc-ninh"' in opened.on_gateway(LOOK)
    secret = opened.ws.secrets.get(opened.guest.wanted.password).reveal()
    assert secret not in opened.on_gateway(
        "cat /run/lienthong-ztp/* /run/systemd/system/lienthong-ztp.service"
    )
    assert opened.get(OTHER, opened.url + opened.file).endswith("000")
    wrong = f"https://{opened.place.address}:{window.PORT}/{window.token()}/{opened.file}"
    assert opened.get(ENDPOINT, wrong) == "404"
    assert opened.get(ENDPOINT, wrong.replace("https", "http")).endswith("000")
    assert opened.get(ENDPOINT, wrong.replace(str(opened.place.address), "10.0.44.1")).endswith("000")
    said = opened.get(ENDPOINT, opened.url + opened.file)
    assert said.startswith("#!version:1.0.0.1\n")
    assert said.endswith("200")
    time.sleep(2)
    assert opened.get(ENDPOINT, opened.url + opened.file).endswith("000")
    found = opened.status()
    assert not found.open
    assert next(event.why for event in found.events if event.what == "refused") == "wrong token"
    (granted,) = (event for event in found.events if event.what == "granted")
    assert (granted.node, granted.mac, granted.source) == (ENDPOINT, opened.mac, "10.0.42.20")
    nothing_left(opened)
    journal = opened.on_gateway("journalctl -q -o cat -u lienthong-ztp")
    assert '"granted"' in journal
    assert secret not in journal
    assert opened.guest.token not in journal


def test_another_ethernet_address_is_refused_and_time_ends_the_window(opened: Opened) -> None:
    opened.guest = replace(opened.guest, wanted=replace(opened.guest.wanted, mac="52:54:00:00:00:01"))
    opened.open(12)
    assert opened.get(ENDPOINT, opened.url + opened.file) == "404"
    assert opened.status().events[-1].why == "another Ethernet address"
    deadline = time.monotonic() + 30
    while (found := opened.status()).open and time.monotonic() < deadline:
        time.sleep(1)
    assert (found.open, found.events[-1].why) == (False, "by time")
    nothing_left(opened)


def test_what_does_not_come_up_leaves_nothing(opened: Opened) -> None:
    with pytest.raises(LienThongError, match="SSL"):
        opened.open(60, certificate="no certificate")
    nothing_left(opened)
    opened.on_gateway("echo bad > /etc/nftables.d/99-bad.nft")
    try:
        with pytest.raises(LienThongError, match="syntax error"):
            opened.open(60)
    finally:
        opened.on_gateway("rm /etc/nftables.d/99-bad.nft")
    nothing_left(opened)


def test_a_server_that_is_killed_and_a_window_that_is_closed_leave_nothing(opened: Opened) -> None:
    opened.open(60)
    opened.on_gateway("systemctl kill -s KILL lienthong-ztp; sleep 1")
    nothing_left(opened)
    opened.open(60)
    opened.close()
    opened.close()
    nothing_left(opened)
