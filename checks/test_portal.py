"""The Internet server in the DMZ, as somebody on the Internet sees it."""

from __future__ import annotations

from secrets import token_hex
from time import monotonic, sleep
from typing import Any

from lienthong.audit.probes import INTERNET, Probes
from lienthong.checks import Evidence, Host, Hosts, control, not_assessed, runs
from lienthong.facts import Facts, nft
from lienthong.hosts.certificates import authority
from lienthong.hosts.web import judge
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.model.secret import SecretStore
from lienthong.model.words import UplinkKind
from lienthong.services.logs import STORE
from lienthong.services.portal import Params
from lienthong.target import Access

BANS = "inet lienthong_bans"


def public_address(site: SitePlan) -> str:
    """The address by which the site's Internet server is reached from outside."""
    for uplink in site.uplinks:
        if uplink.kind is UplinkKind.INTERNET and uplink.address is not None:
            return str(uplink.address.ip)
    raise AssertionError(f"{site.site.slug} has no public address")


@control("APP-01", kind="probe", nodes=runs("portal"))
def test_portal_from_outside(
    node: Node, site: SitePlan, access: Access, secrets: SecretStore, probes: Any, evidence: Any
) -> None:
    """The portal answers from the Internet by TLS 1.2 or newer, trusted, with HSTS, over 30 days to run."""
    outside = probes.internet
    if outside is None:
        not_assessed(f"no probe stands on the Internet: does {node.fqdn} answer from there, and trusted?")
    address, name = public_address(site), (*node.names, node.fqdn)[0]
    ca = authority(access, node.side, secrets).pem
    evidence(f"https://{name}/ at {address} from the {INTERNET}")
    judge(outside.ask("https", address=address, name=name, authority=ca), evidence)


#: What attackers try first, with the rules that must see it; each gets a word of its own to be found by.
ATTACKS = {
    "SQL injection": "/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--%20&word={}",
    "script in a page": "/?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E&word={}",
    "path traversal": "/?file=../../../../etc/passwd&word={}",
}
WITHIN_S = 12.0


@control("NET-09", kind="probe", nodes=runs("portal"))
def test_attacks_are_refused_and_logged(
    node: Node,
    site: SitePlan,
    plan: ProvincePlan,
    access: Access,
    secrets: SecretStore,
    probes: Probes,
    hosts: Hosts,
    evidence: Evidence,
) -> None:
    """Attacks of three kinds are refused and found at the collector; an ordinary request passes."""
    outside = probes.internet
    if outside is None:
        not_assessed(f"no probe stands on the Internet: does {node.fqdn} refuse attacks from there?")
    address, name = public_address(site), (*node.names, node.fqdn)[0]
    ca = authority(access, node.side, secrets).pem

    def ask(path: str) -> int:
        seen = outside.ask("https", address=address, name=name, authority=ca, path=path, old=False)
        return int(seen["status"])

    words = {what: token_hex(8) for what in ATTACKS}
    ordinary = [ask("/"), ask(f"/?word={token_hex(8)}&q=H%E1%BB%8Dp%20%C4%90%E1%BA%A3ng%20b%E1%BB%99")]
    evidence(f"ordinary requests: {ordinary}")
    assert ordinary == [200, 200], f"an ordinary request is answered with {ordinary}"
    told = {what: ask(path.format(words[what])) for what, path in ATTACKS.items()}
    evidence("; ".join(f"{what}: {status}" for what, status in told.items()))
    passed = [what for what, status in told.items() if status != 403]
    assert not passed, f"not refused: {', '.join(passed)} ({told})"
    collectors = [found for found in plan.running("logs", node.side) if access.reaches(found)]
    if not collectors:
        not_assessed(f"the collector of side {node.side} is not reached: does it hear of attacks?")
    until = monotonic() + WITHIN_S
    missing = set(words)
    while missing and monotonic() < until:
        said = hosts(collectors[0].name).run(
            f"{STORE} show --newest 2 --last 20000 --text 'ModSecurity: Access denied'"
        )
        missing = {what for what, word in words.items() if word not in said.stdout}
        sleep(0.5)
    assert not missing, f"{collectors[0].name} has not heard of: {', '.join(sorted(missing))}"


@control("NET-09", nodes=runs("portal"))
def test_who_goes_on_is_banned(host: Host, node: Node, facts: Facts, evidence: Evidence) -> None:
    """Clients that are refused again and again are banned: the daemon runs, its rule drops whom it names."""
    params = node.services["portal"].params
    assert isinstance(params, Params)
    assert "fail2ban-server" in facts.processes, "fail2ban does not run"
    said = host.run("fail2ban-client get portal maxretry && fail2ban-client get portal bantime")
    evidence(f"fail2ban: {' '.join(said.stdout.split())}")
    assert said.stdout.split() == [str(params.ban_after), str(params.ban_s)], "not as the inventory says"
    drops = [rule for rule in nft.rules(facts.ruleset) if rule.table == BANS and rule.verdict == "drop"]
    assert drops, "no rule drops those that are banned"


@control("APP-01", nodes=runs("portal") | runs("app"))
def test_documents_are_read_only(node: Node, hosts: Any, evidence: Any) -> None:
    """The web server and the vault's account can read the documents and change none."""
    script = "".join(
        f"runuser -u {account} -- sh -c 'test -r /srv/documents && echo {account} reads; "
        f"test -w /srv/documents && echo {account} writes'\n"
        for account in ("www-data", "lienthong-fetch")
    )
    told = hosts(node.name).run(script + "stat -c '%U %a' /srv/documents").stdout.splitlines()
    evidence(", ".join(told))
    assert told == ["www-data reads", "lienthong-fetch reads", "docs 2750"]
