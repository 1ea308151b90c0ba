"""What of flow records takes minutes to see, in a lab of its own: python -m tests.lab.soak_flows."""

from __future__ import annotations

import time

from tests.lab.test_flows import NET, SHOWN, SITES, WAN, Lab, lab

__all__ = ["lab"]


def test_a_flow_through_every_gateway_is_in_the_store(lab: Lab) -> None:
    lab.passes()


def test_a_collector_and_a_bridge_that_start_anew_are_noticed(lab: Lab) -> None:
    gateway = "loc-ninh-gw-wan"
    since = lab.on(gateway, "date +%s").strip()
    lab.on(WAN, "systemctl restart lienthong-flows")
    time.sleep(12)
    lab.on(gateway, "ovs-vsctl del-port vlan35")
    time.sleep(1)
    lab.on(gateway, "ovs-vsctl add-port br-lan vlan35 tag=35 -- set interface vlan35 type=internal")
    lab.on(gateway, "ip link set vlan35 up")
    lab.good("apply", "loc-ninh", "--gear")
    lab.passes(gateway)
    said = lab.on(gateway, f"journalctl -o cat --since @{since} -u lienthong-flows-export")
    assert "the collector listens again" in said, said[-SHOWN:]
    assert "interfaces are others" in said, said[-SHOWN:]


def test_a_gateway_that_tells_nothing_is_found(lab: Lab) -> None:
    gateway = "loc-ninh-gw-net"
    lab.on(gateway, "systemctl stop lienthong-flows-export")
    try:
        done = lab.checks(gateway)
    finally:
        lab.on(gateway, "systemctl start lienthong-flows-export")
    assert done.returncode == 1, done.stdout[-SHOWN:]
    assert f"not found at {NET} within" in done.stdout, done.stdout[-SHOWN:]


def test_records_become_files_of_five_minutes(lab: Lab) -> None:
    lab.on(WAN, "systemctl start lienthong-flows-keep.service")
    assert lab.on(WAN, "systemctl show -P Result lienthong-flows-keep.service").strip() == "success"
    # By itself it waits for ten minutes: here for one, which is more than the file being written is old.
    soon = "env TZ=UTC lienthong-flows-keep /srv/flows --days 30 --gigabytes 20 --fresh 60"
    count = "find /srv/flows/store -name 'nfcapd.2*' | wc -l"
    deadline = time.monotonic() + 420
    while lab.on(WAN, f"runuser -u lienthong-flows -- {soon}; {count}").strip() == "0":
        assert time.monotonic() < deadline, lab.on(WAN, "find /srv/flows")
        time.sleep(20)
    seen = lab.on(WAN, "nfdump -q -R /srv/flows/store -o fmt:%ra | grep -c '10[.]'")
    assert int(seen) > 0


def test_what_was_kept_is_the_collectors_again(lab: Lab) -> None:
    lab.declare(False)
    lab.good("apply", *SITES)
    lab.declare(True)
    lab.good("apply", *SITES)
    assert lab.on(WAN, "find /srv/flows ! -user lienthong-flows").strip() == ""
    lab.passes("loc-ninh-gw-wan")
