"""Runs on the system that is looked at (`sudo python3 -I -`, this text on its stdin); standard library only.

Every section is one command; all run side by side, because one login and one process start cost more
than most of them. The answer is one JSON object: {section: {"rc": int, "out": str}}. Nothing is changed
and no secret leaves: password hashes become words, keys become lengths.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

Seen = dict[str, Any]
LIMIT = 400_000
COMMANDS = {
    "sshd": "sshd -T",
    "nft": "nft -j list ruleset",
    "sockets": "ss -H -lntup",
    "links": "ip -j -d link",
    "addresses": "ip -j address",
    "routes": "ip -j route show table all",
    "rules": "ip -j rule",
    "units": "systemctl list-units --no-legend --plain --no-pager --type=service,socket,timer,path",
    "chrony_tracking": "chronyc -n -c tracking",
    "chrony_sources": "chronyc -n -c sources",
    "chrony_auth": "chronyc -n -c authdata",
    "audit": "auditctl -s",
    "kernel_modules": "modprobe -n -v usb-storage",
    "container": "systemd-detect-virt --container",
    "uname": "uname -r",
    "hostname": "cat /proc/sys/kernel/hostname",
    "sudo": "sudo -n -l -U lienthong",
}
OPTIONAL = {
    "frr": ("/usr/bin/vtysh", "vtysh -c 'show running-config'"),
    "ospf_neighbours": ("/usr/bin/vtysh", "vtysh -c 'show ip ospf neighbor json'"),
    "ospf_interfaces": ("/usr/bin/vtysh", "vtysh -c 'show ip ospf interface json'"),
    "bfd": ("/usr/bin/vtysh", "vtysh -c 'show bfd peers json'"),
    "ovs_ports": ("/usr/bin/ovs-vsctl", "ovs-vsctl -f json list Port"),
    "ovs_interfaces": ("/usr/bin/ovs-vsctl", "ovs-vsctl -f json list Interface"),
    "ovs_bridges": ("/usr/bin/ovs-vsctl", "ovs-vsctl -f json list Bridge"),
    "wireguard": (
        "/usr/bin/wg",
        "wg show all latest-handshakes; wg show all endpoints; wg show all allowed-ips",
    ),
    "unbound": (
        "/usr/sbin/unbound",
        "unbound-checkconf -o local-data 2>/dev/null; systemctl is-active unbound",
    ),
    "kea": ("/usr/sbin/kea-dhcp4", "kea-dhcp4 -t /etc/kea/kea-dhcp4.conf"),
    "aide": ("/usr/bin/aide", "aide --config=/etc/aide/lienthong.conf --config-check"),
}
#: Which of the optional ones need their daemon to run; a stopped daemon must not cost the time-out.
NEEDS = {
    "frr": "zebra", "ospf_neighbours": "ospfd", "ospf_interfaces": "ospfd", "bfd": "bfdd",
    "ovs_ports": "ovsdb-server", "ovs_interfaces": "ovsdb-server", "ovs_bridges": "ovsdb-server",
    "chrony_tracking": "chronyd", "chrony_sources": "chronyd", "chrony_auth": "chronyd",
}  # fmt: skip
FILES = {
    "passwd": "/etc/passwd",
    "group": "/etc/group",
    "rsyslog": "/etc/rsyslog.d",
    "logs": "/etc/lienthong/logs",
    "modprobe": "/etc/modprobe.d",
    "usbguard": "/etc/usbguard/usbguard-daemon.conf",
    "resolv": "/etc/resolv.conf",
    "issue_net": "/etc/issue.net",
    "pam": "/etc/pam.d/common-auth",
    "pwquality": "/etc/security/pwquality.conf",
    "login_defs": "/etc/login.defs",
    "faillock": "/etc/security/faillock.conf",
    "sudoers": "/etc/sudoers.d",
    "nftables_conf": "/etc/nftables.conf",
    "profile": "/etc/profile.d",
    "sshd_dropin": "/etc/ssh/sshd_config.d",
    "leases_old": "/var/lib/kea/kea-leases4.csv.2",
    "leases": "/var/lib/kea/kea-leases4.csv",
}
SECRET = re.compile(r"(?i)((?:message-digest-key \d+ md5|password|secret|key-string|passphrase|psk)\s+)\S+")


def command(words: str) -> Seen:
    """One command, its exit code and what it wrote."""
    env = dict(os.environ, LC_ALL="C", PATH="/usr/sbin:/usr/bin:/sbin:/bin", PAGER="cat")
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=env,
            timeout=8,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"rc": 124, "out": "timed out"}
    out = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        out = (out + done.stderr.decode("utf-8", "replace")).strip()
    return {"rc": done.returncode, "out": SECRET.sub(r"\1***", out[:LIMIT])}


def text_of(path: str) -> Seen:
    """A file, or all files of a folder one after another."""
    try:
        if os.path.isdir(path):
            parts = []
            for name in sorted(os.listdir(path)):
                with open(os.path.join(path, name), encoding="utf-8", errors="replace") as handle:
                    parts.append(f"# file: {name}\n{handle.read()}")
            text = "\n".join(parts)
        else:
            with open(path, encoding="utf-8", errors="replace") as handle:
                text = handle.read()
    except OSError as error:
        return {"rc": 1, "out": str(error)}
    return {"rc": 0, "out": SECRET.sub(r"\1***", text[:LIMIT])}


def shadow() -> Seen:
    """Account and whether a password opens it: `locked`, `empty`, `set`; with the days of its ageing."""
    lines = []
    with open("/etc/shadow", encoding="utf-8") as handle:
        for line in handle:
            name, hashed, changed, _, longest, *_ = line.rstrip("\n").split(":")
            state = "empty" if hashed == "" else "locked" if hashed[0] in "!*" else "set"
            lines.append(f"{name}:{state}:{changed}:{longest}")
    return {"rc": 0, "out": "\n".join(lines)}


def authorized_keys() -> Seen:
    """Number of keys that open each account, with the options of each (no key material)."""
    lines = []
    with open("/etc/passwd", encoding="utf-8") as handle:
        homes = [(part[0], part[5]) for part in (line.rstrip("\n").split(":") for line in handle)]
    for name, home in homes:
        for place in (f"{home}/.ssh/authorized_keys", f"/etc/ssh/authorized_keys/{name}"):
            try:
                with open(place, encoding="utf-8") as keys:
                    for line in keys:
                        line = line.strip()
                        if line and not line.startswith("#"):
                            kind = re.search(r"(ssh-\w+|ecdsa-\S+|sk-\S+)\s", line)
                            options = line[: kind.start()].strip() if kind else ""
                            lines.append(f"{name}\t{kind.group(1) if kind else '?'}\t{options}")
            except OSError:
                continue
    return {"rc": 0, "out": "\n".join(lines)}


def certificates() -> Seen:
    """Every certificate under /etc/lienthong/pki: subject, names, issuer, end."""
    lines = []
    for folder, _, names in sorted(os.walk("/etc/lienthong/pki")):
        for name in sorted(names):
            if not name.endswith((".pem", ".crt")):
                continue
            path = os.path.join(folder, name)
            seen = command(f"openssl x509 -in {path} -noout -subject -issuer -enddate -ext subjectAltName")
            if seen["rc"] == 0:
                lines.append(json.dumps({"path": path, "text": seen["out"]}))
    return {"rc": 0, "out": "\n".join(lines)}


def sysctl() -> Seen:
    """What the kernel does with packets and its own secrets; a tenth of the time of `sysctl -a`."""
    lines = []
    words = ["rp_filter", "accept_redirects", "secure_redirects", "send_redirects", "accept_source_route"]
    words += ["forwarding", "proxy_arp", "log_martians", "accept_ra", "autoconf"]
    for family in ("ipv4", "ipv6"):
        folder = f"/proc/sys/net/{family}/conf"
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            lines += [f"net/{family}/conf/{name}/{word}" for word in words]
    lines += ["net/ipv4/ip_forward", "net/ipv4/tcp_syncookies", "net/ipv4/icmp_echo_ignore_broadcasts"]
    lines += ["kernel/kptr_restrict", "kernel/dmesg_restrict", "kernel/randomize_va_space"]
    found = []
    for path in lines:
        try:
            with open(f"/proc/sys/{path}", encoding="ascii") as handle:
                found.append(f"{path.replace('/', '.')} = {handle.read().strip()}")
        except OSError:
            continue
    return {"rc": 0, "out": "\n".join(found)}


def running() -> set[str]:
    """Names of all processes."""
    names = set()
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as handle:
                    names.add(handle.read().strip())
            except OSError:
                continue
    return names


def main() -> None:
    """Collect everything, print it as JSON."""
    alive = running()
    jobs: dict[str, Future[Seen]] = {}
    with ThreadPoolExecutor(max_workers=6) as pool:
        jobs["shadow"] = pool.submit(shadow)
        jobs["authorized_keys"] = pool.submit(authorized_keys)
        jobs["sysctl"] = pool.submit(sysctl)
        jobs["certificates"] = pool.submit(certificates)
        wanted = dict(COMMANDS)
        wanted.update({name: words for name, (needs, words) in OPTIONAL.items() if os.path.exists(needs)})
        for name, words in wanted.items():
            if name in NEEDS and NEEDS[name] not in alive:
                continue
            jobs[name] = pool.submit(command, words)
        for name, path in FILES.items():
            jobs[name] = pool.submit(text_of, path)
        result = {name: job.result() for name, job in jobs.items()}
    result["processes"] = {"rc": 0, "out": "\n".join(sorted(alive))}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
