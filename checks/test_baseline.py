"""The baseline of every Linux system: accounts, ssh, kernel, time, what is watched."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from lienthong.checks import ALL, HOSTS, Evidence, control, not_applicable, not_assessed
from lienthong.facts import Facts
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.services.dns import DNS
from lienthong.target import Access

WEAK = re.compile(
    r"(arcfour|3des|cbc|blowfish|cast128|hmac-md5|hmac-sha1|umac-64|group1-sha1|group14-sha1|ssh-dss|ssh-rsa\b)"
)
#: Programs that open sockets of their own choosing beside those they are declared with.
ROAMING = {
    ("bfdd", "udp"),
    ("baresip", "udp"),
    ("named", "udp"),
    ("unbound", "udp"),
    ("chronyd", "udp"),
    ("kea-dhcp4", "udp"),
}
#: Ports that a program opens whatever it is told; the node's filter keeps them shut.
UNAVOIDABLE = {
    ("baresip", "tcp", 5060),
    ("baresip", "tcp", 5061),
}  # nobody calls it there; no setting ends it
LAST_DAYS = 9
TIME_DAEMONS = {"chronyd", "ntpd", "systemd-timesyn", "openntpd"}


@control("SRV-01", nodes=ALL)
def test_ssh_lets_in_keys_only(facts: Facts, evidence: Evidence) -> None:
    """sshd lets nobody in as root, takes no password, and offers no weak algorithm."""
    seen = facts.sshd
    wanted = {
        "permitrootlogin": {"no"},
        "passwordauthentication": {"no"},
        "kbdinteractiveauthentication": {"no"},
        "permitemptypasswords": {"no"},
        "x11forwarding": {"no"},
        "permituserenvironment": {"no"},
    }
    for key in wanted:
        evidence(f"{key} {seen.get(key)}")
    wrong = [f"{key} is {seen.get(key)}" for key, good in wanted.items() if seen.get(key) not in good]
    if int(seen.get("maxauthtries", "6")) > 4:
        wrong.append(f"maxauthtries is {seen.get('maxauthtries')}")
    if not 0 < int(seen.get("logingracetime", "0")) <= 60:
        wrong.append(f"logingracetime is {seen.get('logingracetime')}")
    for key in ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms"):
        weak = [word for word in seen.get(key, "").split(",") if WEAK.search(word)]
        wrong += [f"{key} offers {word}" for word in weak]
    assert not wrong, "\n".join(wrong)


@control("SRV-01", nodes=ALL)
def test_root_has_no_key(facts: Facts, evidence: Evidence) -> None:
    """No key opens root's account over the network."""
    root = next(account for account in facts.accounts if account.name == "root")
    evidence(f"{len(root.keys)} keys")
    assert not root.keys, f"root has {len(root.keys)} authorised keys"


@control("SRV-02", nodes=ALL)
def test_passwords_must_be_long(facts: Facts, evidence: Evidence) -> None:
    """A new password has at least 14 characters of all four classes."""
    found = dict(re.findall(r"^\s*(\w+)\s*=\s*(\d+)", facts.text("pwquality"), re.MULTILINE))
    evidence(f"minlen {found.get('minlen')}, minclass {found.get('minclass')}")
    assert int(found.get("minlen", 0)) >= 14, f"minlen is {found.get('minlen', 'not set')}"
    assert int(found.get("minclass", 0)) >= 4, f"minclass is {found.get('minclass', 'not set')}"


@control("SRV-03", nodes=ALL)
def test_failed_passwords_lock(facts: Facts, evidence: Evidence) -> None:
    """An account is locked after at most five wrong passwords."""
    deny = re.search(r"^\s*deny\s*=\s*(\d+)", facts.text("faillock"), re.MULTILINE)
    used = "pam_faillock.so" in facts.text("pam")
    evidence(f"deny {deny.group(1) if deny else 'not set'}, in common-auth: {used}")
    assert used, "PAM does not count failures"
    assert deny is not None and 0 < int(deny.group(1)) <= 5, f"deny is {deny.group(1) if deny else 'not set'}"


@control("SRV-04", nodes=ALL)
def test_passwords_end(facts: Facts, evidence: Evidence) -> None:
    """Passwords end after at most 60 days, and so does every one that is set."""
    longest = re.search(r"^PASS_MAX_DAYS\s+(\d+)", facts.text("login_defs"), re.MULTILINE)
    evidence(f"PASS_MAX_DAYS {longest.group(1) if longest else 'not set'}")
    assert longest is not None and int(longest.group(1)) <= 60, "passwords last too long"
    for line in facts.text("shadow").splitlines():
        name, state, _, days = line.split(":")
        assert state != "set" or (days.isdigit() and int(days) <= 60), f"the password of {name} never ends"


@control("SRV-06", nodes=ALL)
def test_idle_sessions_end(facts: Facts, evidence: Evidence) -> None:
    """An idle shell ends within five minutes, and so does a dead ssh connection."""
    shell = re.search(r"TMOUT=(\d+)", facts.text("profile"))
    alive = int(facts.sshd.get("clientaliveinterval", "0")) * int(facts.sshd.get("clientalivecountmax", "0"))
    evidence(f"TMOUT {shell.group(1) if shell else 'not set'}; ssh {alive} s")
    assert shell is not None and 0 < int(shell.group(1)) <= 300, "idle shells stay"
    assert 0 < alive <= 300, f"dead ssh connections stay {alive or 'for ever'}"


@control("SRV-07", nodes=ALL)
def test_accounts_are_known(
    facts: Facts, node: Node, plan: ProvincePlan, access: Access, evidence: Evidence
) -> None:
    """Only root has UID 0, root is locked, and only the tool's accounts and declared jobs may log in."""
    zero = [account.name for account in facts.accounts if account.uid == 0]
    open_ones = {account.name: account for account in facts.accounts if account.may_log_in}
    evidence(f"UID 0: {', '.join(zero)}; may log in: {', '.join(sorted(open_ones)) or 'nobody'}")
    assert zero == ["root"], f"UID 0 is held by {', '.join(zero)}"
    empty = [account.name for account in facts.accounts if account.state == "empty"]
    assert not empty, f"no password at all: {', '.join(empty)}"
    known = {access.user, access.network_user} if node.device is not None else {access.user}
    strange = []
    for name, account in open_ones.items():
        # A job's account has nothing but keys that run one command.
        job = account.state == "locked" and all(
            "command=" in key and "restrict" in key for key in account.keys
        )
        if name not in known and not job:
            strange.append(name)
    assert not strange, f"accounts that nobody declared may log in: {', '.join(sorted(strange))}"
    by_password = [name for name in known if (a := open_ones.get(name)) and a.state == "set"]
    assert not by_password, f"the tool's account has a password: {', '.join(by_password)}"


@control("SRV-08", nodes=ALL)
def test_sudo_is_logged(facts: Facts, evidence: Evidence) -> None:
    """sudo writes down every command and gives it a terminal of its own."""
    text = facts.text("sudoers")
    found = re.findall(r"^Defaults\S*\s+.*$", text, re.MULTILINE)
    for line in found:
        evidence(line)
    assert re.search(r"^Defaults\s+.*logfile=", text, re.MULTILINE), "sudo keeps no log of its own"
    assert re.search(r"^Defaults\s+.*use_pty", text, re.MULTILINE), "sudo does not use a pty"


@control("SRV-10", nodes=ALL)
def test_only_declared_ports_listen(facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """What listens for others is what the plan declares, and what a service declares listens."""
    wanted = {("tcp", 22, 22)}
    needed = set()
    for flow in plan.sites[node.site].flows:
        # A zone that may be managed by 443 need not offer it; a service that is declared must.
        if flow.dst.node == node.name and flow.proto in {"tcp", "udp"}:
            wanted |= {(flow.proto, low, high) for low, high in flow.ports}
            if flow.origin in node.services:
                needed |= {(flow.proto, low) for low, high in flow.ports if low == high}
        elif flow.dst.node is None and any(node.address in network for network in flow.dst.networks):
            wanted |= {(flow.proto, low, high) for low, high in flow.ports}
    wanted |= {("udp", tunnel.port, tunnel.port) for tunnel in node.tunnels}
    if node.runs("dns"):
        wanted |= {(proto, *DNS[0]) for proto in ("tcp", "udp")}
    open_ones = [seen for seen in facts.listeners if not seen.local]
    for seen in open_ones:
        evidence(f"{seen.proto} {seen.address}:{seen.port} {seen.process}")
    extra = [
        f"{seen.proto} {seen.port} by {seen.process or 'the kernel'}"
        for seen in open_ones
        if not any(seen.proto == proto and low <= seen.port <= high for proto, low, high in wanted)
        and (seen.process, seen.proto) not in ROAMING
        and (seen.process, seen.proto, seen.port) not in UNAVOIDABLE
    ]
    missing = [
        f"{proto} {port}"
        for proto, port in sorted(needed)
        if not any((seen.proto, seen.port) == (proto, port) for seen in open_ones)
    ]
    assert not extra, f"nobody declared: {', '.join(extra)}"
    assert not missing, f"declared, yet nothing listens: {', '.join(missing)}"


@control("SRV-11", nodes=HOSTS)
def test_hosts_forward_nothing(facts: Facts, evidence: Evidence) -> None:
    """A host passes no packets on, follows no redirects and checks where packets come from."""
    wanted = {
        "net.ipv4.ip_forward": {"0"},
        "net.ipv4.conf.all.accept_redirects": {"0"},
        "net.ipv4.conf.all.send_redirects": {"0"},
        "net.ipv4.conf.all.accept_source_route": {"0"},
        "net.ipv4.conf.all.rp_filter": {"1", "2"},
        "net.ipv4.tcp_syncookies": {"1"},
        "net.ipv6.conf.all.forwarding": {"0"},
    }
    wrong = []
    for key, good in wanted.items():
        value = facts.sysctl.get(key)
        evidence(f"{key} = {value}")
        if value not in good and not (key.startswith("net.ipv6") and value is None):
            wrong.append(f"{key} is {value}")
    assert not wrong, "\n".join(wrong)


@control("SRV-12", nodes=ALL)
def test_the_kernel_records(facts: Facts, evidence: Evidence) -> None:
    """auditd runs, and the kernel's audit has rules and is on."""
    said = facts.section("audit")
    evidence(said.out.splitlines()[0] if said.out else "auditctl said nothing")
    if said.rc and re.search(r"not in kernel|not permitted|protocol not supported", said.out, re.IGNORECASE):
        not_applicable(f"kernel: auditctl -s says: {said.out.splitlines()[0]}")
    assert "auditd" in facts.processes, "auditd does not run"
    assert re.search(r"^enabled [12]", said.out, re.MULTILINE), "audit is off"


@control("SRV-17", nodes=ALL)
def test_time_is_kept(facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """One time daemon really runs, follows a server of its side, and is less than a second off."""
    daemons = sorted(TIME_DAEMONS & facts.processes)
    assert daemons == ["chronyd"], f"time daemons that run: {', '.join(daemons) or 'none'}"
    seen = facts.time
    evidence(f"stratum {seen.stratum}, off by {seen.offset_s:.6f} s, leap {seen.leap}")
    for source in seen.sources:
        evidence(f"source {source.address} {source.state} reach {source.reach:o}")
    assert abs(seen.offset_s) < 1, f"off by {seen.offset_s} s"
    if node.runs("ntp"):
        return
    approved = {str(server.address) for server in plan.running("ntp", node.side)}
    strange = [source.address for source in seen.sources if source.address not in approved]
    assert not strange, f"asks a server that nobody approved: {', '.join(strange)}"
    assert any(source.state == "*" for source in seen.sources), "follows no server"


@control("SRV-20", nodes=ALL)
def test_usb_storage_is_off(facts: Facts, evidence: Evidence) -> None:
    """The kernel does not load the driver for USB storage."""
    said = facts.section("kernel_modules")
    first = said.out.strip().splitlines()[0] if said.out.strip() else ""
    evidence(first or "modprobe said nothing")
    if said.rc and "not found" in said.out:
        not_applicable(f"kernel: it has no driver for USB storage ({first})")
    assert re.search(r"install /(usr/)?s?bin/(true|false)", said.out), "usb-storage can be loaded"


@control("SRV-20", nodes=ALL)
def test_usb_devices_are_let_in_by_rule(facts: Facts, evidence: Evidence) -> None:
    """USBGuard blocks what no rule lets in, plugged in before it started or after, and runs."""
    found = dict(re.findall(r"^(\w+)=(\S+)", facts.text("usbguard"), re.MULTILINE))
    wanted = {
        "ImplicitPolicyTarget": {"block", "reject"},
        "PresentDevicePolicy": {"apply-policy", "block", "reject"},
        "PresentControllerPolicy": {"apply-policy", "block", "reject"},
        "InsertedDevicePolicy": {"apply-policy", "block", "reject"},
    }
    for key in wanted:
        evidence(f"{key} {found.get(key, 'not set')}")
    wrong = [
        f"{key} is {found.get(key, 'not set')}" for key, good in wanted.items() if found.get(key) not in good
    ]
    assert not wrong, "\n".join(wrong)
    if facts.section("container").rc == 0:
        not_applicable("kernel: a process namespace has no devices of its own to block")
    assert "usbguard-daemon" in facts.processes, "usbguard-daemon does not run"


@control("SRV-21", nodes=ALL)
def test_packages_are_compared(facts: Facts, evidence: Evidence) -> None:
    """Installed files are compared with the checksums of their packages on a timer."""
    timer = facts.units.get("package-files.timer")
    evidence(f"package-files.timer: {timer.active if timer else 'not there'}")
    assert timer is not None and timer.active == "active", "installed files are compared with nothing"


@control("SRV-21", nodes=ALL)
def test_files_are_watched(facts: Facts, evidence: Evidence) -> None:
    """AIDE has a configuration that it accepts and that covers the system's programs and settings."""
    said = facts.section("aide")
    evidence(f"aide --config-check: {said.rc}")
    assert said.rc == 0, f"AIDE does not accept its configuration: {said.out[:200]}"


@control("APP-01", nodes=ALL)
def test_certificates_are_in_order(facts: Facts, node: Node, evidence: Evidence) -> None:
    """The node's certificate carries its name, comes from the side's authority, and is not about to end."""
    own = [seen for seen in facts.certificates if "central" not in seen.path]
    mine = [seen for seen in own if seen.path.endswith("/node.crt")]
    for seen in facts.certificates:
        evidence(
            f"{seen.path}: {seen.subject}, names {', '.join(seen.names) or 'none'}, to {seen.ends:%Y-%m-%d}"
        )
    assert mine, "the node has no certificate"
    wrong = []
    for seen in mine:
        if node.fqdn not in seen.names:
            wrong.append(f"{seen.path} is for {', '.join(seen.names)}, not for {node.fqdn}")
    for seen in facts.certificates:
        # Of its 30 days a certificate that renews itself has ten left at least.
        if seen.ends - datetime.now(UTC) < timedelta(days=LAST_DAYS if seen in mine else 30):
            wrong.append(f"{seen.path} ends on {seen.ends:%Y-%m-%d}")
    issuers = {seen.issuer for seen in mine}
    trusted = {seen.subject for seen in own if seen not in mine}
    wrong += [f"issued by {issuer}, which is not among the trusted" for issuer in issuers - trusted]
    assert not wrong, "\n".join(wrong)


@control("SRV-22", nodes=ALL)
def test_no_failed_units(facts: Facts, evidence: Evidence) -> None:
    """No unit of the system has failed."""
    failed = sorted(name for name, unit in facts.units.items() if unit.active == "failed")
    evidence(f"failed: {', '.join(failed) or 'none'}")
    assert not failed, f"failed units: {', '.join(failed)}"


@control("SRV-19")
def test_anti_malware(site: SitePlan) -> None:
    """Anti-malware runs and its signatures are fresh."""
    not_assessed(
        f"{site.site.name.en}: which anti-malware runs on its systems, and how old are its signatures?"
    )
