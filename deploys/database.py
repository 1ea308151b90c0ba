"""A database of its host alone: reached through its socket, read by the account that the vault fetches with.

That account is admitted by the system's own word (peer, unix_socket), has no password, and may only read.
Without the service the server is stopped; its data stays as it keeps it, for a person to take away.
"""

from __future__ import annotations

import hashlib

from pyinfra import host

from lienthong.hosts.deploying import (
    File,
    Folder,
    claim,
    command,
    differs,
    packages,
    place,
    render,
    service,
    tidy,
    user,
)
from lienthong.hosts.nodestate import node_state
from lienthong.services.database import Params
from lienthong.workspace import workspace

FETCHER = "lienthong-fetch"
HOME = "/var/lib/lienthong/fetch"
PROGRAM = "/usr/local/sbin/lienthong-database"
MARK = "/etc/lienthong/database"
#: Debian 12's version of PostgreSQL.
POSTGRESQL = "/etc/postgresql/15/main/conf.d/lienthong.conf"
MARIADB = "/etc/mysql/mariadb.conf.d/70-lienthong.cnf"
space = workspace()
me = space.node(host.name)


def database(engine: str) -> None:
    """Engine, its settings, the account that reads, the program that dumps."""
    postgres = engine == "postgresql"
    now = node_state()
    user(FETCHER, home=HOME, shell="/bin/sh", name="database: account that reads it")  # noqa: S604
    if postgres:
        conf = File(POSTGRESQL, render("database/lienthong.conf"))
        packages("postgresql", name="database: PostgreSQL")
    else:
        conf = File(MARIADB, render("database/50-lienthong.cnf"))
        packages("mariadb-server", name="database: MariaDB")
    place(
        Folder("/etc/lienthong"),
        conf,
        File(PROGRAM, render("database/database.py", engine=engine), mode="0755"),
        name="database: settings, and the program that dumps",
    )
    server = "postgresql@15-main" if postgres else "mariadb"
    script = render(f"database/reader.{engine}.sh.j2", reader=FETCHER)
    sockets = () if postgres else ("mariadb.socket", "mariadb-extra.socket")
    for socket in sockets:
        # systemd would listen in its place, on every address, whatever its own settings say.
        service(socket, enabled=False, running=False, name=f"database: no {socket}")
    handed = any(unit.active for name in sockets if (unit := now.units.get(name)))
    service("postgresql" if postgres else "mariadb", name="database: server")
    digest = hashlib.sha256(f"{conf.content}{script}".encode()).hexdigest()
    mark = File(MARK, f"{engine} {digest}\n")
    command(
        # What the server has read, and whom it knows, only it can tell: the mark says that it was told.
        f"systemctl restart {server} && {{ {script}}} && cat > {MARK}.new && mv {MARK}.new {MARK}",
        what=f"{engine}: socket only, and an account that may only read",
        when=handed or differs(mark, now.files.get(MARK)) or differs(conf, now.files.get(conf.path)),
        stdin=mark.content,
        name="database: account that only reads",
    )
    claim(("file", MARK))


if me.runs("database"):
    params = me.services["database"].params
    assert isinstance(params, Params)
    database(params.engine)
tidy("database")
