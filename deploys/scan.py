"""The scanner of a vault: ClamAV's program, and signatures that somebody brought. Nothing is fetched.

The closed side has no way to ClamAV's servers, and on the Internet side a vault reaches nothing either.
Signatures come as a bundle of class `packages`, and an officer puts them in place; the check tells their age.
"""

from __future__ import annotations

import json

from pyinfra import host

from lienthong.hosts.deploying import File, Folder, packages, place, service, tidy
from lienthong.services.scan import Params
from lienthong.workspace import workspace

SIGNATURES = "/srv/signatures"
MARK = "/etc/lienthong/scan.json"

space = workspace()
me = space.node(host.name)

if me.runs("scan"):
    params = me.services["scan"].params
    assert isinstance(params, Params)
    packages("clamav", name="scan: ClamAV")
    wanted = {"signatures": SIGNATURES, "signature_days": params.signature_days}
    place(
        Folder("/etc/lienthong"),
        # Somebody carried them here.
        Folder(SIGNATURES, after="keep"),
        File(MARK, json.dumps(wanted, indent=1) + "\n"),
        name="scan: the vault's job scans",
    )
    service("clamav-freshclam", enabled=False, running=False, name="scan: nothing is fetched from here")
tidy("scan")
