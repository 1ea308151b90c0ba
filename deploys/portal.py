"""The Internet server in the DMZ: a page and documents over TLS behind an application firewall.

Owns /etc/nginx/ (with deploys/app.py, by one module), /etc/fail2ban/ and /etc/nftables.d/80-portal.nft: an
empty set of banned addresses and the rule that drops them. fail2ban puts addresses into the set and takes
them out, and changes no rule, so live rules stay equal to the files. Who manages or watches the server is
never banned.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import File, claim, place, render, ruleset, service, tidy
from lienthong.hosts.webserver import Public, web_server
from lienthong.model.words import Zone
from lienthong.services.portal import Params
from lienthong.workspace import workspace

BANS = "/etc/nftables.d/80-portal.nft"
POLICY = "/etc/nftables.d/50-policy.nft"
JAIL = "/etc/fail2ban/jail.d/lienthong.local"
ACTION = "/etc/fail2ban/action.d/lienthong.conf"
DAEMON = "/etc/fail2ban/fail2ban.d/lienthong.local"
PER_SOURCE = 20

space = workspace()
me = space.node(host.name)

if me.runs("portal"):
    params = me.services["portal"].params
    assert isinstance(params, Params)
    web_server(
        me, space.site(me.site).site, "portal/index.html.j2", Public(PER_SOURCE, redirect=params.redirect)
    )
    segments = [s for site in space.plan.sites.values() for s in site.segments.values() if s.side is me.side]
    files = (
        File(
            JAIL,
            render(
                "portal/jail.local.j2",
                never=sorted(s.prefix for s in segments if s.zone is Zone.MANAGEMENT),
                ban_after=params.ban_after,
                ban_s=params.ban_s,
                ports="80,443" if params.redirect else "443",
            ),
        ),
        File(ACTION, render("portal/ban.conf")),
        File(DAEMON, render("portal/fail2ban.local")),
    )
    ruleset(File(BANS, render("portal/80-portal.nft")), name="portal: who is banned")
    place(*files, name="portal: when to ban")
    service(
        "fail2ban",
        # Rules that were loaded anew have an empty set; on its start fail2ban bans anew whom it remembers.
        watch=(BANS, POLICY, *(file.path for file in files)),
        check="fail2ban-client -t >/dev/null",
        name="portal: bans",
    )
    # Whom it has banned, its own note of it; that of the filter goes with its file.
    claim(("file", "/var/lib/fail2ban/fail2ban.sqlite3"))
tidy("portal")
