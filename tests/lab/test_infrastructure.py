"""What pyinfra sets up, on real systems: filter, tunnel, logs, metrics, names, leases; each seen to work."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lienthong.dashboards.grafana import dashboard, questions
from lienthong.dashboards.panels import expressions
from lienthong.hosts.deploying import AUTHORITY, CERTIFICATE, KEY, render
from lienthong.hosts.packetfilter import filter_of
from lienthong.inventory import load
from lienthong.plan.build import build
from tests.lab import soak_logs
from tests.lab.conftest import ROOT, SITES, District

WAN_HOST, NET_GATEWAY = "loc-ninh-srv", "loc-ninh-gw-net"
COLLECTOR = "tinh-uy-svc-wan"
PLAN = build(load(ROOT / "inventory"))


def waited(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def sh(district: District, node: str, script: str) -> str:
    return district.on(node, "sh", "-c", script).strip()


def collected(district: District, word: str, host: str = WAN_HOST) -> bool:
    """Whether the store has an event of that host with that word in it."""
    return word in sh(district, COLLECTOR, f"{soak_logs.STORE} show --host {host} --text {word}")


def pyinfra(district: District, node: str, *deploys: str) -> str:
    """A run of plain pyinfra, without our command."""
    paths = [f"deploys/{name}.py" for name in deploys]
    done = district.tool("pyinfra", "-y", "--limit", node, "inventory/hosts.py", *paths)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_nft_takes_the_rules_of_every_node(tmp_path: Path) -> None:
    for site in SITES:
        for name, node in PLAN.sites[site].nodes.items():
            found = filter_of(PLAN, node)
            file = tmp_path / f"{name}.nft"
            text = render("firewall/00-base.nft.j2", filter=found, management_interfaces='{ "mgmt0" }')
            text += render("firewall/50-policy.nft.j2", filter=found)
            text += render("firewall/60-qos.nft.j2", filter=found)
            file.write_text(text, encoding="utf-8")
            command = ["unshare", "--net", "nft", "-c", "-f", str(file)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{name}: {done.stderr}"


def test_a_rule_taken_away_by_hand_comes_back(district: District) -> None:
    live = "nft -a list chain inet lienthong policy_input"
    count = f"{live} | grep -c 9100 || true"
    assert sh(district, WAN_HOST, count) == "1"
    handle = sh(district, WAN_HOST, f"{live} | sed -n '/9100/s/.*handle //p'")
    sh(district, WAN_HOST, f"nft delete rule inet lienthong policy_input handle {handle}")
    assert sh(district, WAN_HOST, count) == "0"
    pyinfra(district, WAN_HOST, "firewall")
    assert sh(district, WAN_HOST, count) == "1"


def test_a_wrong_ruleset_is_refused_and_the_old_one_stays(district: District) -> None:
    before = sh(district, WAN_HOST, "nft -s list ruleset | sha256sum")
    sh(
        district,
        WAN_HOST,
        "echo nonsense > /etc/nftables.d/99-test.nft; echo >> /etc/nftables.d/50-policy.nft",
    )
    try:
        done = district.tool(
            "pyinfra", "-y", "--limit", WAN_HOST, "inventory/hosts.py", "deploys/firewall.py"
        )
        assert done.returncode != 0
        assert sh(district, WAN_HOST, "nft -s list ruleset | sha256sum") == before
    finally:
        sh(district, WAN_HOST, "rm /etc/nftables.d/99-test.nft")
    pyinfra(district, WAN_HOST, "firewall")


def test_the_key_is_the_nodes_own_and_not_for_everybody(district: District) -> None:
    assert sh(district, WAN_HOST, f"stat -c '%a %U %G' {KEY}") == "640 root lienthong-pki"
    assert sh(district, WAN_HOST, f"openssl verify -CAfile {AUTHORITY} {CERTIFICATE}").endswith("OK")


def test_a_broken_certificate_is_replaced(district: District) -> None:
    before = sh(district, WAN_HOST, f"openssl x509 -in {CERTIFICATE} -noout -serial")
    sh(district, WAN_HOST, f"cp {AUTHORITY} {CERTIFICATE}")
    pyinfra(district, WAN_HOST, "pki", "logs", "monitoring")
    after = sh(district, WAN_HOST, f"openssl x509 -in {CERTIFICATE} -noout -serial")
    assert after != before
    assert sh(district, WAN_HOST, f"openssl verify -CAfile {AUTHORITY} {CERTIFICATE}").endswith("OK")


def test_the_tunnel_answers_and_its_key_is_hidden(district: District) -> None:
    assert sh(district, NET_GATEWAY, "stat -c '%a %U' /etc/wireguard/wg-net.conf") == "600 root"
    tunnel = PLAN.nodes[NET_GATEWAY].tunnels[0]
    handshake = "wg show wg-net latest-handshakes | cut -f2"
    assert waited(lambda: sh(district, NET_GATEWAY, handshake) not in {"", "0"}, 30)
    assert str(tunnel.routes[0]) in sh(district, NET_GATEWAY, "ip route show dev wg-net")
    secret = sh(district, NET_GATEWAY, "sed -n 's/^PrivateKey = //p' /etc/wireguard/wg-net.conf")
    assert secret
    assert secret not in sh(district, NET_GATEWAY, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_an_event_reaches_the_collector_and_central(district: District) -> None:
    word = f"infrastructure-{time.time_ns()}"
    long = f"$(head -c 20000 /dev/zero | tr '\\0' x)-{word}"
    sh(district, WAN_HOST, f'logger -t lienthong-test {word}; logger --size 32k -t lienthong-test "{long}"')
    assert waited(lambda: collected(district, word), 20)
    assert waited(lambda: collected(district, f"x-{word}"), 20), "the end of a long one was cut off"
    central = f"grep -rqs {word} /var/log/central && echo seen || true"
    assert waited(lambda: sh(district, "central-wan", central) == "seen", 20)


def test_nothing_is_lost_or_twice_while_both_ends_are_killed(district: District) -> None:
    """The short part of `python -m tests.lab.soak_logs`."""

    def faults(district: District, say: Callable[[str], None]) -> None:
        time.sleep(3)
        sh(district, COLLECTOR, soak_logs.kill("rsyslog") + "; systemctl stop syslog.socket rsyslog")
        time.sleep(8)
        sh(district, WAN_HOST, soak_logs.kill("lienthong-logs"))
        time.sleep(5)
        sh(district, COLLECTOR, "systemctl start syslog.socket rsyslog")
        time.sleep(4)
        sh(district, COLLECTOR, soak_logs.kill("rsyslog") + "; " + soak_logs.kill("lienthong-central"))

    found = soak_logs.soak(district, 200, 30, faults, patience_s=60)
    assert found.lost == found.twice == found.missing == 0, str(found)
    assert found.central == found.sent, str(found)
    assert found.repeats > 0, f"nothing was on its way when it was killed: {found}"


def test_old_days_go_and_young_ones_stay_though_somebody_reads_them(district: District) -> None:
    folder = "/var/log/lienthong"
    sh(
        district,
        COLLECTOR,
        f"cd {folder}; touch -d '13 months ago' 2001-01-01.db; touch -d '11 months ago' 2001-02-01.db; "
        "cat 2001-01-01.db; systemd-tmpfiles --clean; true",
    )
    left = sh(district, COLLECTOR, f"cd {folder}; echo *.db; rm -f 2001-02-01.db").split()
    assert left == ["2001-02-01.db", *[name for name in left if name.startswith("20") and name > "2026"]]
    assert len(left) > 1, "the store of today is gone"


def test_logs_come_back_after_a_failed_authentication(district: District) -> None:
    """A collector that shows a wrong certificate gets nothing; once it is right again it gets everything."""
    sh(district, COLLECTOR, f"cp -p {CERTIFICATE} /run/right.crt")
    script = (
        "cd /run && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
        f"-keyout wrong.key -out wrong.crt -subj /CN=wrong 2>/dev/null && cp -p {KEY} right.key && "
        f"cat wrong.key > {KEY} && cat wrong.crt > {CERTIFICATE} && systemctl restart rsyslog"
    )
    sh(district, COLLECTOR, script)
    word = f"again-{time.time_ns()}"
    try:
        sh(district, WAN_HOST, f"logger -t lienthong-test {word}")
        refused = (
            "journalctl -b -u lienthong-logs --since -1min | grep -c 'certificate verify failed' || true"
        )
        assert waited(lambda: int(sh(district, WAN_HOST, refused)) > 0, 60)
        assert not collected(district, word)
    finally:
        # With their old times: the deploys restart what is older than its certificate.
        back = f"cp -p /run/right.key {KEY}; cp -p /run/right.crt {CERTIFICATE}; rm -f /run/right.key"
        sh(district, COLLECTOR, f"{back}; systemctl restart rsyslog")
    assert waited(lambda: collected(district, word), 60)


def test_who_is_not_heard_is_in_the_matrix(district: District) -> None:
    """Every asset of a site sends; one whose sender stands still is named, and no other."""
    sh(district, WAN_HOST, "systemctl stop lienthong-logs")
    try:
        done = district.run("coverage", "loc-ninh", "--json")
    finally:
        sh(district, WAN_HOST, "systemctl start lienthong-logs")
    rows = {row["node"]: row for row in json.loads(done.stdout)["systems"]}
    assert set(rows) == set(PLAN.sites["loc-ninh"].nodes)
    assert {name: row["missing"] for name, row in rows.items() if row["missing"]} == {
        WAN_HOST: ["collector", "central"]
    }
    assert done.returncode == 1
    again = district.run("coverage", "loc-ninh", "--side", "wan")
    assert again.returncode == 0, again.stdout
    assert "(100 %)" in again.stdout


def test_only_who_has_a_certificate_may_ask_the_exporter(district: District) -> None:
    url = f"https://{PLAN.nodes[WAN_HOST].address}:9100/metrics"
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' --max-time 5 --cacert {AUTHORITY}"
    with_it = sh(district, COLLECTOR, f"{ask} --cert {CERTIFICATE} --key {KEY} {url}")
    assert with_it == "200"
    assert sh(district, COLLECTOR, f"{ask} {url} || true") != "200"


def test_an_alert_becomes_an_event_and_so_reaches_central(district: District) -> None:
    unit = "prometheus-node-exporter"
    count = f"grep -rh 'firing HostDown.*{WAN_HOST}' /var/log/central/{COLLECTOR}.log | wc -l"
    before = int(sh(district, "central-wan", count))
    sh(district, WAN_HOST, f"systemctl stop {unit}")
    try:
        assert waited(lambda: int(sh(district, "central-wan", count)) > before, 90)
    finally:
        sh(district, WAN_HOST, f"systemctl start {unit}")
    assert collected(district, "HostDown", COLLECTOR)


def test_gear_answers_who_has_its_passwords_only(district: District) -> None:
    """By SNMPv3 with privacy, to Prometheus; its exporter reads the names of the ports."""
    gear = "loc-ninh-sw-wan"
    ask = f"curl -s 'http://127.0.0.1:9116/snmp?target={PLAN.nodes[gear].address}&module="
    assert 'ifHCInOctets{ifIndex="' in sh(district, COLLECTOR, f"{ask}{gear}'")
    other = sh(district, COLLECTOR, f"{ask}tinh-uy-sw-wan'")
    assert "ifHCInOctets{" not in other, "the passwords of another device open it"


def test_every_question_of_the_dashboards_is_one_and_the_console_answers(district: District) -> None:
    asked = [*expressions(), *(one.replace("$site", "loc-ninh") for one in questions(dashboard()))]
    rules = {
        "groups": [{"name": "x", "rules": [{"record": f"q:{n}", "expr": e} for n, e in enumerate(asked)]}]
    }
    text = base64.b64encode(json.dumps(rules).encode()).decode()
    check = f"f=$(mktemp); echo {text} | base64 -d >$f; promtool check rules $f; rm $f"
    assert f"{len(asked)} rules found" in sh(district, COLLECTOR, check)
    page = sh(district, COLLECTOR, "curl -sf 'http://127.0.0.1:9090/consoles/lienthong.html?site=loc-ninh'")
    assert f"<code>{WAN_HOST}</code>" in page
    assert "node_qdisc_drops_total" in sh(
        district, COLLECTOR, "curl -sf 'http://127.0.0.1:9090/api/v1/label/__name__/values'"
    )


def test_a_resolver_knows_its_side_and_nothing_else(district: District) -> None:
    server, name = PLAN.sites["loc-ninh"].segments["servers"].gateway, PLAN.nodes["tinh-uy-reg"].fqdn
    ask = f"dig +short +time=2 +tries=2 @{server}"
    assert sh(district, WAN_HOST, f"{ask} {name}") == str(PLAN.nodes["tinh-uy-reg"].address)
    other = PLAN.nodes["tinh-uy-portal"].fqdn
    assert sh(district, WAN_HOST, f"{ask} {other} || true") == ""


def test_everything_is_up_again_after_a_reboot(district: District) -> None:
    assert district.run("lab", "reboot", NET_GATEWAY).returncode == 0
    units = (
        "kea-dhcp4-server unbound rsyslog lienthong-logs nftables wg-quick@wg-net prometheus-node-exporter"
    )
    up = f"systemctl is-active {units} | sort -u | tr '\\n' ' ' || true"
    assert waited(lambda: sh(district, NET_GATEWAY, up) == "active", 40)
    # The end of the boot before is told as well: its numbers are in the store, or a gap would be.
    missing = f"{soak_logs.STORE} state | jq '.\"{NET_GATEWAY}\".missing'"
    word = f"after-the-reboot-{time.time_ns()}"
    sh(district, NET_GATEWAY, f"logger -t lienthong-test {word}")
    heard = f"{soak_logs.STORE} show --host {NET_GATEWAY} --text {word}"
    assert waited(lambda: word in sh(district, "tinh-uy-svc-net", heard), 30)
    assert sh(district, "tinh-uy-svc-net", missing) == "0"
    assert "No changes" in pyinfra(district, NET_GATEWAY, "pki", "firewall", "tunnel", "logs", "dhcp", "dns")
