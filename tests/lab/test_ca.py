"""Certificates renew themselves while services go on; who is no longer in the inventory gets none.

The life of a certificate is scaled: 30 days become some seconds, and the timer looks every second.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import NAME, ROOT, District
from tests.lab.second import second
from tests.lab.test_retire import good

CA, WEB, ENDPOINT = "tinh-uy-svc-wan", "loc-ninh-srv", "loc-ninh-vc"
JOB = "/etc/lienthong/ca/job.json"
LIFE_S, FOR_S = 24, 45
FAST = "/run/systemd/system/lienthong-renew.timer.d"
OFTEN = "/run/systemd/system/lienthong-renew.service.d"
#: Asks the web server all the time, as somebody who believes the root of the side only.
VISITOR = f"""
import socket, ssl, sys, time
name, until = sys.argv[1], time.monotonic() + {FOR_S}
pem = open("/etc/lienthong/pki/ca.crt").read()  # the root is its first
end = "-----END CERTIFICATE-----"
context = ssl.create_default_context(cadata=pem[:pem.index(end)] + end)
served, wrong, asked = [], [], 0
while time.monotonic() < until:
    asked += 1
    try:
        with socket.create_connection((name, 443), 5) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secured:
                secured.sendall(b"GET / HTTP/1.0\\r\\nHost: " + name.encode() + b"\\r\\n\\r\\n")
                if not secured.recv(100).startswith(b"HTTP/1.1 200"):
                    wrong.append("no page")
                serial = secured.getpeercert()["serialNumber"]
                if serial not in served:
                    served.append(serial)
    except OSError as error:
        wrong.append(str(error))
    time.sleep(0.2)
import json
print(json.dumps([asked, served, wrong]))
"""


@pytest.fixture
def scaled(district: District) -> Iterator[None]:
    """Certificates of seconds from the issuing authority, and a web server that asks for one all the time."""
    said = json.loads(district.on(CA, "cat", JOB))
    assert said["life_s"] == 30 * 86400
    district.on(CA, "sed", "-i", f's/"life_s": .*/"life_s": {LIFE_S},/', JOB)
    fast = "[Timer]\nOnBootSec=\nOnUnitActiveSec=\nOnActiveSec=1\nOnUnitInactiveSec=1\nAccuracySec=100ms\n"
    fast += "RandomizedDelaySec=0\n"
    often = "[Unit]\nStartLimitIntervalSec=0\n"
    put = f"printf '{fast}{often}' > {FAST}/fast.conf && printf '{often}' > {OFTEN}/often.conf"
    again = "systemctl daemon-reload && systemctl restart lienthong-renew.timer"
    try:
        district.on(WEB, "sh", "-c", f"mkdir -p {FAST} {OFTEN} && {put} && {again}")
        yield
    finally:
        calm = "systemctl reset-failed lienthong-renew || true"  # it may not be loaded any more
        district.on(WEB, "sh", "-c", f"rm -r {FAST} {OFTEN}; {again}; {calm}")
        district.on(CA, "sed", "-i", f's/"life_s": .*/"life_s": {said["life_s"]},/', JOB)
        district.on(WEB, "lienthong-renew", "--now")


@pytest.mark.usefixtures("scaled")
def test_a_certificate_renews_itself_and_the_service_goes_on(district: District) -> None:
    district.on(WEB, "lienthong-renew", "--now")
    name = district.on(WEB, "hostname", "--fqdn").strip()
    asked, served, wrong = json.loads(district.on(WEB, "python3", "-c", VISITOR, name))
    assert wrong == [] and asked > FOR_S
    # The first has expired meanwhile, so has the second: without renewal nobody would have been served.
    assert len(served) >= 3, served
    district.on(WEB, "logger", "-t", "renewed", "heard after it")
    found = f"lienthong-store show --host {WEB} --text 'heard after it' | grep -q 'heard after it'"
    heard = f"for i in $(seq 20); do {found} && exit; sleep 1; done; false"
    district.on(CA, "sh", "-c", heard)
    issued = district.on(CA, "cat", "/var/lib/lienthong/ca/index.txt")
    assert issued.count(f"/CN={WEB}") >= 3


def test_who_is_retired_gets_none_though_the_certificate_is_still_good(
    district: District, tmp_path: Path
) -> None:
    """The endpoint keeps its key and a valid certificate, as a thief of it would."""
    only = ("pyinfra", "-y", "--limit", CA, "inventory/hosts.py", "deploys/ca.py")
    district.on(ENDPOINT, "lienthong-renew", "--now")
    try:
        with second(ROOT, NAME, tmp_path) as other:
            good(other.run("retire", ENDPOINT))
            done = district.tool(*only, root=other.root)
            assert done.returncode == 0, done.stdout + done.stderr
            refused = district.run("lab", "exec", ENDPOINT, "--", "lienthong-renew", "--now")
            assert refused.returncode != 0
            assert "is not in the inventory" in refused.stderr, refused.stderr
            district.on(WEB, "lienthong-renew", "--now")
    finally:
        done = district.tool(*only)
        assert done.returncode == 0, done.stdout + done.stderr
    district.on(ENDPOINT, "lienthong-renew", "--now")


def test_nobody_is_heard_without_a_certificate(district: District) -> None:
    address = json.loads(district.on(CA, "cat", JOB))["address"]
    url = f"https://{address}:8443/.well-known/est/simplereenroll"
    said = district.on(WEB, "sh", "-c", f"curl -sk --max-time 5 -d AAAA {url}; echo ended $?")
    assert said.startswith("ended ") and said.split()[1] not in {"0", "7", "28"}, said
