"""Certificates that renew themselves, and the issuing authority of each side."""

from __future__ import annotations

import json

from lienthong.checks import ALL, Evidence, Host, control, not_applicable, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.services.ca import PORT

PKI = "/etc/lienthong/pki"
#: Chain and name, then begin, end and now in seconds, then how the timer and its last run are.
ASK = f"""cd {PKI}
openssl verify -x509_strict -CAfile ca.crt -verify_hostname %s node.crt >/dev/null 2>&1; echo $?
openssl x509 -in node.crt -noout -dates | cut -d= -f2 | while read -r day; do date -d "$day" +%%s; done
date +%%s
systemctl is-active lienthong-renew.timer; systemctl show -P Result lienthong-renew.service"""
#: What curl says to a server that wants a certificate and gets none: 0 is an answer, 7 is nobody there.
NAKED = "curl -sk -o /dev/null --max-time 5 https://%s:%s/.well-known/est/simplereenroll; echo $?"


@control("APP-01", nodes=ALL)
def test_certificate_renews_itself(host: Host, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """The chain of the certificate holds, over a third of its life is left, and a timer looks at it."""
    if not plan.running("ca", node.side):
        not_applicable("the side has no issuing authority: each apply renews")
    said = host.run(ASK, node.fqdn).stdout.split()
    assert len(said) == 6, f"the node told only {said}"
    chain, begin, end, now, timer, result = said[0], *map(int, said[1:4]), said[4], said[5]
    left = (end - now) / (end - begin)
    evidence(
        f"chain {'good' if chain == '0' else 'broken'}, {left:.0%} of its life left, timer {timer}, {result}"
    )
    assert chain == "0", "the certificate does not lead to the side's authority, or is for another name"
    assert timer == "active", f"the timer of the renewal is {timer}"
    assert result == "success", f"the last renewal ended with {result}"
    assert left > 0.3, f"only {left:.0%} of its life is left"


@control("APP-01", nodes=runs("ca"))
def test_issuing_authority_is_shut(host: Host, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """It hears nobody without a certificate, its key is root's, it renews for planned systems only."""
    key = host.file("/etc/lienthong/ca/issuing.key")
    assert key.exists, "it has no key"
    ended = host.run(NAKED, str(node.address), str(PORT)).stdout.strip()
    listed = set(json.loads(host.file("/etc/lienthong/ca/job.json").content_string)["nodes"])
    planned = {other.name for other in plan.nodes.values() if other.side is node.side}
    evidence(
        f"without a certificate curl ends with {ended}; key {key.mode:o}; renews for {len(listed)} systems"
    )
    assert ended != "7", "it does not run"
    assert ended != "0", "it answers to anybody"
    assert (key.mode, key.user) == (0o600, "root"), f"its key is {key.user}'s with mode {key.mode:o}"
    assert listed == planned, f"it renews for others or not for all: {sorted(listed ^ planned)}"
