"""A certificate for every node from the authority of its side; its key is made on the node and stays there.

Owns /etc/lienthong/pki/. Services that may read the key are in the group lienthong-pki.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.certificates import authority
from lienthong.hosts.deploying import AUTHORITY, PKI_GROUP, File, Folder, certificate, group, place
from lienthong.workspace import workspace

space = workspace()
me = space.node(host.name)
ca = authority(space.access, me.side, space.secrets)

group(PKI_GROUP, "prometheus", name="pki: who may read the key")
place(
    Folder("/etc/lienthong"),
    Folder("/etc/lienthong/pki"),
    File(AUTHORITY, ca.pem),
    name="pki: authority",
)
certificate(me, ca, name="pki: certificate")
