"""Backup, conference and web servers, broken by hand: each fault is found by its own check.

Faults that have nothing to do with each other are put in together, and exactly their checks must fail: none
may be missed and none may be wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.conftest import SITES, District

CONTROLS = "BAK-01,BAK-02,BAK-04,BAK-05,VC-01,VC-02,APP-01,APP-04,NET-09,MON-03"
CHECKS = ("backup", "videoconf", "portal", "app", "exposure", "monitoring")


@dataclass(frozen=True)
class Fault:
    """One thing put wrong on a node, how it is mended, and the checks, with their place, that must fail."""

    node: str
    broken: str
    mended: str
    found: tuple[tuple[str, str], ...]


def edit(node: str, path: str, sed: str, unit: str, *found: tuple[str, str]) -> Fault:
    """A configuration file changed by hand, and its service started anew."""
    again = f"systemctl restart {unit}" if unit else "true"
    return Fault(
        node,
        f"cp -p {path} {path}.kept && sed -i -E '{sed}' {path} && ! cmp -s {path} {path}.kept && {again}",
        f"mv {path}.kept {path} && {again}",
        found,
    )


CALL = "test_call_carries_sound_and_picture"
LAST = "test_last_copy_is_young"
WAITS = "test_vault_waits_for_documents"
BACK = "test_document_comes_back"
STORE = "test_store_is_encrypted"
DRILL = "test_restore_drill_is_young_and_good"
VANISHED = "test_no_archive_vanished"
THIEF = "test_fetch_key_is_used_by_its_vault_only"
WEB = "test_portal_from_outside"
APP = "test_app_from_users"
LEDGER = "/var/lib/lienthong/vault"
AS_VAULT = "runuser -u vault --"
BORG = (
    "env BORG_BASE_DIR=/srv/vault/base BORG_REPO=/srv/vault/borg "
    "BORG_PASSCOMMAND='cat /etc/lienthong/backup/passphrase'"
)
FETCH = (
    f"{AS_VAULT} ssh -F none -T -i /etc/lienthong/backup/fetch_ed25519 -o BatchMode=yes "
    "-o UserKnownHostsFile=/etc/lienthong/backup/known_hosts "
    "lienthong-fetch@$(python3 -c 'import json; "
    'print(json.load(open("/etc/lienthong/backup/job.json"))["sources"][0]["address"])\')'
)
NGINX = "/etc/nginx/nginx.conf"
ACCOUNTS = "/etc/baresip/accounts"

#: A registrar that was started anew knows nobody until the endpoints register again, every 30 s.
REGISTERED = "for i in $(seq 45); do [ $(kamcmd ul.dump brief | grep -c AoR:) = 2 ] && break; sleep 1; done"

#: Until a vault waits at its sources. Who does goes on without the key; who does not would be a finding more.
WAITED = (
    "for i in $(seq 60); do jq -e '[.sources[].waiting] | all' /var/lib/lienthong/backup/watch.json "
    ">/dev/null && break; sleep 1; done"
)
ROUNDS = {
    "marks, key to fetch with, append-only, HSTS, rights": (
        Fault(
            "loc-ninh-gw-wan",
            "nft -s list ruleset | grep -v 'dscp set' > /run/unmarked && "
            "nft flush ruleset && nft -f /run/unmarked",
            "nft flush ruleset && nft -f /etc/nftables.conf",
            ((CALL, "loc-ninh"), (CALL, "tinh-uy")),
        ),
        Fault(
            "tinh-uy-vault-wan",
            f"{WAITED}; mv /etc/lienthong/backup/fetch_ed25519 /etc/lienthong/backup/kept",
            "mv /etc/lienthong/backup/kept /etc/lienthong/backup/fetch_ed25519",
            ((BACK, "loc-ninh-srv"),),
        ),
        edit(
            "tinh-uy-vault-net",
            "/srv/vault/borg/config",
            "s/^append_only = 1/append_only = 0/",
            "",
            (STORE, "tinh-uy-vault-net"),
        ),
        edit("tinh-uy-portal", NGINX, "/Strict-Transport/d", "nginx", (WEB, "tinh-uy-portal")),
        Fault(
            "loc-ninh-srv",
            "chmod 2770 /srv/documents",
            "chmod 2750 /srv/documents",
            (("test_documents_are_read_only", "loc-ninh-srv"),),
        ),
    ),
    "endpoint off, timer, old TLS": (
        Fault(
            "loc-ninh-vc",
            "systemctl stop baresip",
            "systemctl start baresip",
            (("test_endpoint_is_registered", "loc-ninh-vc"), (CALL, "loc-ninh"), (CALL, "tinh-uy")),
        ),
        Fault(
            "tinh-uy-vault-net",
            "systemctl stop lienthong-backup.timer",
            "systemctl start lienthong-backup.timer",
            ((LAST, "tinh-uy-portal"),),
        ),
        Fault(
            "tinh-uy-vault-wan",
            "systemctl stop lienthong-watch",
            "systemctl start lienthong-watch",
            ((WAITS, "loc-ninh-srv"),),
        ),
        edit(
            "loc-ninh-srv",
            NGINX,
            "s/TLSv1.2 TLSv1.3/TLSv1.1 TLSv1.2/; s/ssl_ciphers .*/ssl_ciphers ALL:@SECLEVEL=0;/",
            "nginx",
            (APP, "loc-ninh-srv"),
        ),
    ),
    "answers by itself, no rights to read, alerts without rules and without a way out": (
        Fault(
            "tinh-uy-svc-wan",
            "cd /etc/prometheus && mv lienthong-rules.yml /root/rules.kept && systemctl reload prometheus",
            "mv /root/rules.kept /etc/prometheus/lienthong-rules.yml && systemctl reload prometheus",
            (("test_alerts_are_loaded", "tinh-uy-svc-wan"),),
        ),
        Fault(
            "tinh-uy-svc-net",
            "systemctl stop lienthong-alerts",
            "systemctl start lienthong-alerts",
            (("test_alerts_have_a_way_out", "tinh-uy-svc-net"),),
        ),
        edit(
            "tinh-uy-vc",
            ACCOUNTS,
            "s/answermode=manual/answermode=auto/",
            "baresip",
            (CALL, "loc-ninh"),
        ),
        # A session that began before goes within 20 s by itself.
        Fault(
            "tinh-uy-portal",
            "mv /var/lib/lienthong/fetch/.ssh/authorized_keys /root/kept; "
            "pkill -f 'sbin/[l]ienthong-appeared'; true",
            "mv /root/kept /var/lib/lienthong/fetch/.ssh/authorized_keys",
            ((BACK, "tinh-uy-portal"), (THIEF, "tinh-uy-portal"), (WAITS, "tinh-uy-portal")),
        ),
        Fault(
            "tinh-uy-vault-net",
            f'cd {LEDGER} && cp -p drill.json kept && sed -i \'s/d": "20../d": "2000/\' drill.json',
            f"mv {LEDGER}/kept {LEDGER}/drill.json",
            ((DRILL, "tinh-uy-vault-net"),),
        ),
        # Whoever has the key and the vault's address; afterwards the vault says that it was itself.
        Fault(
            "tinh-uy-vault-wan",
            f"date +%s.%N > /run/when && {FETCH} > /dev/null",
            f"{AS_VAULT} sh -c 'echo \"$(cat /run/when) loc-ninh-srv\" >> /var/lib/lienthong/backup/logins'",
            ((THIEF, "loc-ninh-srv"),),
        ),
    ),
    "store in reach, an archive deleted, loose accounts, second address, open port": (
        Fault(
            "tinh-uy-vault-wan",
            f"{AS_VAULT} {BORG} sh -c 'borg delete ::$(borg list --last 1 --short)'",
            "lienthong-vault look; lienthong-vault undelete",
            ((VANISHED, "tinh-uy-vault-wan"),),
        ),
        Fault(
            "tinh-uy-vault-net",
            "nft insert rule inet lienthong input tcp dport 22 accept",
            "nft -f /etc/nftables.conf",
            (("test_store_is_apart", "tinh-uy-portal"),),
        ),
        Fault(
            "tinh-uy-gw-net",
            "nft insert rule inet lienthong forward iifname vlan110 oifname vlan150 accept && "
            "nft insert rule inet lienthong input iifname inet0 tcp dport 22 accept",
            "nft -f /etc/nftables.conf",
            (("test_nothing_undeclared_answers", "tinh-uy"),),
        ),
        Fault(
            "loc-ninh-vc",
            "chmod 0644 /etc/baresip/accounts",
            "chmod 0600 /etc/baresip/accounts",
            (("test_endpoint_is_closed", "loc-ninh-vc"),),
        ),
        Fault(
            "tinh-uy-reg",
            "ip address add 203.0.113.200/32 dev eth0",
            "ip address del 203.0.113.200/32 dev eth0",
            (("test_address_is_private", "tinh-uy-reg"),),
        ),
    ),
    # Says yes to anybody who does not name a program, as the check does not; real endpoints go on as ever.
    "open registrar": (
        edit(
            "tinh-uy-reg",
            "/etc/kamailio/kamailio.cfg",
            's/^ *if \\(is_method\\("REGISTER"\\)\\) \\{/&\\n'
            'if ($ua == $null) { sl_send_reply("200", "OK"); exit; }/',
            f"kamailio && {REGISTERED}",
            ("test_wrong_password_is_refused", "tinh-uy-vc"),
            ("test_wrong_password_is_refused", "loc-ninh-vc"),
        ),
    ),
    # Takes all calls, with a certificate of its own making: baresip 1.0 does not mind, the check does.
    "a registrar that cannot prove who it is": (
        Fault(
            "tinh-uy-reg",
            "cd /etc/kamailio && cp -p tls.cfg tls.cfg.kept && openssl req -x509 -newkey ec "
            "-pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=sip -keyout own.key -out own.crt && "
            "chgrp kamailio own.key && chmod 0640 own.key && "
            "sed -i -E 's#/etc/lienthong/pki/node[.]#/etc/kamailio/own.#' tls.cfg && "
            f"systemctl restart kamailio && {REGISTERED}",
            "cd /etc/kamailio && mv tls.cfg.kept tls.cfg && rm own.key own.crt && "
            f"systemctl restart kamailio && {REGISTERED}",
            (
                ("test_wrong_password_is_refused", "tinh-uy-vc"),
                ("test_wrong_password_is_refused", "loc-ninh-vc"),
            ),
        ),
    ),
}


def failing(district: District, folder: Path) -> set[tuple[str, str]]:
    """Checks of the services that fail now, each with its node or site."""
    report = folder / "findings.json"
    done = district.tool(
        "pytest",
        *(f"checks/test_{name}.py" for name in CHECKS),
        f"--site={','.join(SITES)}",
        f"--control={CONTROLS}",
        f"--findings={report}",
        "-q",
    )
    lines = report.read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    findings = [line["finding"] for line in told if "finding" in line]
    assert findings, done.stdout
    broken = [f"{f['check']} {f['node']}: {f['detail']}" for f in findings if f["status"] == "error"]
    assert not broken, broken
    return {
        (finding["check"].split("::")[-1], finding["node"] or finding["site"])
        for finding in findings
        if finding["status"] == "fail"
    }


@pytest.mark.parametrize("name", ROUNDS)
def test_each_fault_is_found_by_its_own_check(district: District, tmp_path: Path, name: str) -> None:
    faults = ROUNDS[name]
    try:
        for fault in faults:
            district.on(fault.node, "sh", "-c", fault.broken)
        assert failing(district, tmp_path) == {found for fault in faults for found in fault.found}
    finally:
        for fault in faults:
            district.on(fault.node, "sh", "-c", fault.mended)


def test_nothing_fails_once_all_is_mended(district: District, tmp_path: Path) -> None:
    assert failing(district, tmp_path) == set()


def test_the_private_key_never_left_the_vault(district: District) -> None:
    """Neither on the controller's disk nor on a source is there what the vault fetches with."""
    private = district.on(
        "tinh-uy-vault-net", "sed", "-n", "4p", "/etc/lienthong/backup/fetch_ed25519"
    ).strip()
    assert len(private) > 40, "the fourth line of the key is the first without a common beginning"
    for node in ("tinh-uy-portal", "loc-ninh-srv", "tinh-uy-vault-wan"):
        seen = district.on(node, "sh", "-c", f"grep -rlF {private} /etc /var/lib/lienthong /root || true")
        assert seen == ""


def test_a_source_gives_documents_and_nothing_else(district: District) -> None:
    """What the vault may have of a source are its documents; whatever else it asks for is refused."""
    known = f"{AS_VAULT} sh -c 'echo \"$(date +%s.%N) tinh-uy-portal\" >> /var/lib/lienthong/backup/logins'"
    told = district.on("tinh-uy-vault-net", "sh", "-c", f"{known}; {FETCH} | tar -t | head -1")
    assert told.strip() == "./"
    for words in ("cat /etc/passwd", "watch; id", "watch /etc"):
        told = district.on("tinh-uy-vault-net", "sh", "-c", f"{known}; {FETCH} '{words}'; echo $?")
        assert told.strip() == "64"
