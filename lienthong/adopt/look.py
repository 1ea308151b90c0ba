"""Runs on the device to be adopted (`sudo python3 -I -`, this text on its stdin); standard library only.

One round trip; the answer has the shape of `lienthong.facts`: {section: {"rc": int, "out": str}}. Nothing is
changed there. What is a secret does not leave: lines that hold one are cut where it begins.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Said = dict[str, Any]
LIMIT = 200_000
COMMANDS = {
    "addresses": "ip -j address",
    "routes": "ip -j -4 route show default",
    "neighbours": "ip -j -4 neigh",
    "units": "systemctl list-units --no-legend --plain --no-pager --type=service,timer",
    "forwarding": "cat /proc/sys/net/ipv4/ip_forward",
    "hostname": "cat /proc/sys/kernel/hostname",
    "os": "cat /etc/os-release",
}
OPTIONAL = {
    "frr_version": ("/usr/bin/vtysh", "vtysh -c 'show version' | head -n 1"),
    "ovs_ports": (
        "/usr/bin/ovs-vsctl",
        "ovs-vsctl -t 5 -f json --columns=_uuid,name,tag,trunks,vlan_mode list Port",
    ),
    "ovs_interfaces": (
        "/usr/bin/ovs-vsctl",
        "ovs-vsctl -t 5 -f json --columns=name,type,ofport,admin_state list Interface",
    ),
    "ovs_bridges": ("/usr/bin/ovs-vsctl", "ovs-vsctl -t 5 -f json --columns=name,ports list Bridge"),
    "fdb": (
        "/usr/bin/ovs-appctl",
        "for b in $(ovs-vsctl -t 5 list-br); do echo bridge $b; ovs-appctl -T 5 fdb/show $b; done",
    ),
    "lldp": ("/usr/sbin/lldpcli", "lldpcli -f json0 show neighbors"),
}
#: Files that say how a service is set up, and which of their lines: all others stay there.
FILES = {
    "unbound": ("/etc/unbound/unbound.conf.d", r"forward-addr:|always_nxdomain"),
    "kea": ("/etc/kea/kea-dhcp4.conf", r"^ {0,4}.valid-lifetime"),
    "chrony": ("/etc/chrony/conf.d", r"^(server|allow|pool) "),
    "baresip": ("/etc/baresip/accounts", r"^<sip:"),
    "backup_job": ("/etc/lienthong/backup/job.json", r""),
    "backup_timer": ("/etc/systemd/system/lienthong-backup.timer", r"^OnCalendar="),
    "rsyslog": ("/etc/rsyslog.d", r"imrelp|omrelp"),
    "logs_onward": ("/etc/lienthong/logs/central.json", r"\"address\":"),
    "log_keep": ("/etc/tmpfiles.d/lienthong-logs.conf", r"^d "),
    "prometheus": ("/etc/prometheus/prometheus.yml", r"^  scrape_interval:"),
    "prometheus_start": ("/etc/default/prometheus", r"^ARGS="),
    "ca": ("/etc/lienthong/ca/job.json", r"^ .life_s|^  .[0-9a-f]{64}.,?$"),
    "nginx": ("/etc/nginx/nginx.conf", r"limit_conn |server_name "),
}
DMI = ("sys_vendor", "product_name", "product_serial", "bios_version", "chassis_serial")
# Of a line with one of these words nothing after the word leaves the device.
SECRET = re.compile(r"(?i)(pass\w*|secret|md5|psk|private\w*|key-string|token|credential\w*)\b(?!-?data).*")


def command(words: str) -> Said:
    """One command, its exit code and what it wrote."""
    env = dict(os.environ, LC_ALL="C", PATH="/usr/sbin:/usr/bin:/sbin:/bin", PAGER="cat")
    argv = ["/bin/sh", "-c", words]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=8, check=False
        )
    except subprocess.TimeoutExpired:
        return {"rc": 124, "out": "timed out"}
    return {"rc": done.returncode, "out": done.stdout.decode("utf-8", "replace")[:LIMIT]}


def text_of(path: Path, kept: str) -> Said:
    """The wanted lines of a file, or of all files of a folder."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        text = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    except OSError as error:
        return {"rc": 1, "out": error.strerror or "not readable"}
    lines = [line for line in text.splitlines() if re.search(kept, line)]
    return {"rc": 0, "out": SECRET.sub(r"\1 ***", "\n".join(lines))[:LIMIT]}


def dmi() -> Said:
    """What the maker wrote into the board; nothing in a container."""
    found = {}
    for name in DMI:
        try:
            text = Path("/sys/class/dmi/id", name).read_text(encoding="utf-8", errors="replace")
            found[name] = text[:200].strip()
        except OSError:
            continue
    return {"rc": 0, "out": json.dumps(found)}


def main() -> None:
    """Look at everything, print it as JSON."""
    jobs = {}
    with ThreadPoolExecutor(max_workers=6) as pool:
        wanted = dict(COMMANDS)
        wanted.update({name: words for name, (needs, words) in OPTIONAL.items() if Path(needs).exists()})
        for name, words in wanted.items():
            jobs[name] = pool.submit(command, words)
        for name, (place, kept) in FILES.items():
            if Path(place).exists():
                jobs[name] = pool.submit(text_of, Path(place), kept)
    result = {name: job.result() for name, job in jobs.items()}
    result["dmi"] = dmi()
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
