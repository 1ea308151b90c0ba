"""What pyinfra sets up, on real systems: filter, tunnel, logs, metrics, names, leases; each seen to work."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lienthong.hosts.deploying import AUTHORITY, CERTIFICATE, KEY, render
from lienthong.hosts.packetfilter import filter_of
from lienthong.inventory import load
from lienthong.plan.build import build
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
    sh(district, WAN_HOST, f"logger -t lienthong-test {word}")
    seen = f"grep -rqs {word} /var/log/lienthong/{WAN_HOST} && echo seen || true"
    assert waited(lambda: sh(district, COLLECTOR, seen) == "seen", 20)
    central = f"grep -rqs {word} /var/log/central && echo seen || true"
    assert waited(lambda: sh(district, "central-wan", central) == "seen", 20)


def test_nothing_is_lost_while_the_collector_is_away(district: District) -> None:
    word = f"away-{time.time_ns()}"
    sh(district, COLLECTOR, "systemctl stop rsyslog syslog.socket")
    try:
        sh(district, WAN_HOST, f"for i in 1 2 3 4 5; do logger -t lienthong-test {word}-$i; done")
        time.sleep(2)
    finally:
        sh(district, COLLECTOR, "systemctl start syslog.socket rsyslog")
    count = f"cat /var/log/lienthong/{WAN_HOST}/*.log | grep -o '{word}-[1-5]' | sort -u | wc -l"
    assert waited(lambda: sh(district, COLLECTOR, count) == "5", 40)


def test_logs_come_back_after_a_failed_authentication(district: District) -> None:
    """omrelp gives up for good when the collector shows a wrong certificate; ours tries again."""
    sh(district, COLLECTOR, f"cp -p {CERTIFICATE} /run/right.crt")
    script = (
        "cd /run && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
        f"-keyout wrong.key -out wrong.crt -subj /CN=wrong 2>/dev/null && cp -p {KEY} right.key && "
        f"cat wrong.key > {KEY} && cat wrong.crt > {CERTIFICATE} && systemctl restart rsyslog"
    )
    sh(district, COLLECTOR, script)
    try:
        sh(district, WAN_HOST, "systemctl restart rsyslog; logger -t lienthong-test wakes-it")
        gave_up = "journalctl -b -u lienthong-relp.service --no-pager | grep -c Finished || true"
        assert waited(lambda: int(sh(district, WAN_HOST, gave_up)) > 0, 60)
    finally:
        # With their old times: the deploys restart what is older than its certificate.
        back = f"cp -p /run/right.key {KEY}; cp -p /run/right.crt {CERTIFICATE}; rm -f /run/right.key"
        sh(district, COLLECTOR, f"{back}; systemctl restart rsyslog")
    word = f"again-{time.time_ns()}"

    def heard() -> bool:
        sh(district, WAN_HOST, f"logger -t lienthong-test {word}")
        seen = f"grep -rqs {word} /var/log/lienthong/{WAN_HOST} && echo seen || true"
        return sh(district, COLLECTOR, seen) == "seen"

    assert waited(heard, 60)


def test_only_who_has_a_certificate_may_ask_the_exporter(district: District) -> None:
    url = f"https://{PLAN.nodes[WAN_HOST].address}:9100/metrics"
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' --max-time 5 --cacert {AUTHORITY}"
    with_it = sh(district, COLLECTOR, f"{ask} --cert {CERTIFICATE} --key {KEY} {url}")
    assert with_it == "200"
    assert sh(district, COLLECTOR, f"{ask} {url} || true") != "200"


def test_a_resolver_knows_its_side_and_nothing_else(district: District) -> None:
    server, name = PLAN.sites["loc-ninh"].segments["servers"].gateway, PLAN.nodes["tinh-uy-reg"].fqdn
    ask = f"dig +short +time=2 +tries=2 @{server}"
    assert sh(district, WAN_HOST, f"{ask} {name}") == str(PLAN.nodes["tinh-uy-reg"].address)
    other = PLAN.nodes["tinh-uy-portal"].fqdn
    assert sh(district, WAN_HOST, f"{ask} {other} || true") == ""


def test_everything_is_up_again_after_a_reboot(district: District) -> None:
    assert district.run("lab", "reboot", NET_GATEWAY).returncode == 0
    units = "kea-dhcp4-server unbound rsyslog nftables wg-quick@wg-net prometheus-node-exporter"
    up = f"systemctl is-active {units} | sort -u | tr '\\n' ' ' || true"
    assert waited(lambda: sh(district, NET_GATEWAY, up) == "active", 40)
    assert "No changes" in pyinfra(district, NET_GATEWAY, "pki", "firewall", "tunnel", "logs", "dhcp", "dns")
