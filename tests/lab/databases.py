"""Databases and a scanner on the lab: dumped while they are written to, restored to scratch, compared.

    LIENTHONG_LAB=full python -m tests.lab.databases --rows 20000

For a lab whose office has hosts that run `database` beside `app`, and a vault that runs `scan`; it must be up
and applied. Prints what it measured; raises at the first thing that does not hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from lienthong.services.database import Params
from lienthong.target import lab_name
from lienthong.workspace import Workspace
from tests.lab.soak_vault import ROOT, Soak

NAME = "hồ sơ 'số' 1"
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#: A signature of its own kind each: bytes anywhere, and the MD5 of the test file.
SIGNATURES = {
    "lab.ndb": "Lab.Marker:0:*:" + b"lienthong-lab-malware".hex() + "\n",
    "lab.hdb": "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n",
}
#: Each transaction moves money between two rows: a dump of one moment has the same sum always.
FILL = {
    "postgresql": (
        """create table so_du (id int primary key, tien bigint not null);
insert into so_du select i, 1000 from generate_series(1, {rows}) i;
create table ghi_chu (id serial primary key, chu text, anh bytea);
insert into ghi_chu (chu, anh) select 'Công văn số ' || i || E'\\n\\t\\\\', decode(md5(i::text), 'hex')
  from generate_series(1, {rows}) i;
create view tong as select sum(tien) from so_du;""",
        """do $$ begin for n in 1..1500 loop
  update so_du set tien = tien - 7 where id = 1 + n % {rows};
  update so_du set tien = tien + 7 where id = 1 + (n * 31) % {rows};
  commit; perform pg_sleep(0.02);
end loop; end $$;""",
    ),
    "mariadb": (
        """create table so_du (id int primary key, tien bigint not null) engine=innodb;
insert into so_du select seq, 1000 from seq_1_to_{rows};
create table ghi_chu (id int auto_increment primary key, chu text, anh blob) engine=innodb;
insert into ghi_chu (chu, anh) select concat('Công văn số ', seq, '\\n\\t\\\\'), unhex(md5(seq))
  from seq_1_to_{rows};
create view tong as select sum(tien) from so_du;""",
        """delimiter //
begin not atomic declare n int default 0; while n < 1500 do start transaction;
  update so_du set tien = tien - 7 where id = 1 + n % {rows};
  update so_du set tien = tien + 7 where id = 1 + (n * 31) % {rows};
  commit; do sleep(0.02); set n = n + 1; end while; end //""",
    ),
}
SUM = "select sum(tien) from so_du"


class Databases(Soak):
    """The hosts with a database, and the vault that pulls them."""

    def __init__(self, lab: str, rows: int) -> None:
        super().__init__(lab, 1)
        plan = Workspace(ROOT, "lab").plan
        self.rows = rows
        self.hosts = {}
        for node in plan.nodes.values():
            if node.runs("database") and node.name in self.state.nodes:
                params = node.services["database"].params
                assert isinstance(params, Params)
                self.hosts[node.name] = params.engine
        (self.vault,) = [n.name for n in plan.nodes.values() if n.runs("scan") and n.name in self.state.nodes]
        assert self.hosts, "no host of this lab runs a database"

    def sql(self, host: str, engine: str, name: str, text: str) -> subprocess.Popen[str]:
        from lienthong.lab.line import enter

        words = {
            "postgresql": [
                "runuser",
                "-u",
                "postgres",
                "--",
                "psql",
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                name,
            ],
            "mariadb": ["mariadb", "-N", "-B", "--default-character-set=utf8mb4", name],
        }[engine]
        process = subprocess.Popen(
            [*enter(self.state.nodes[host]), "env", "LC_ALL=C.UTF-8", "--chdir=/", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.close()
        process.stdin = None
        return process

    def done(self, process: subprocess.Popen[str]) -> str:
        out, said = process.communicate(timeout=600)
        assert process.returncode == 0, said[-500:]
        return out.strip()

    def fill(self) -> None:
        for host, engine in self.hosts.items():
            first = "postgres" if engine == "postgresql" else "mysql"
            marks = '"' if engine == "postgresql" else "`"
            self.done(self.sql(host, engine, first, f"drop database if exists {marks}{NAME}{marks};"))
            self.done(self.sql(host, engine, first, f"create database {marks}{NAME}{marks};"))
            self.done(self.sql(host, engine, NAME, FILL[engine][0].replace("{rows}", str(self.rows))))

    def fetch_while_written(self) -> None:
        """A job while both databases change all the time."""
        writers = [
            self.sql(host, engine, NAME, FILL[engine][1].replace("{rows}", str(self.rows)))
            for host, engine in self.hosts.items()
        ]
        self.sh(self.vault, "systemctl start lienthong-backup")
        self.figures.add("still writing when the job had ended", sum(w.poll() is None for w in writers))
        for writer in writers:
            self.done(writer)

    def restore(self) -> None:
        for host, engine in self.hosts.items():
            came = self.restored(host, "--database", NAME)
            assert came["ok"], came
            total = self.done(self.sql(host, engine, came["database"], SUM))
            self.figures.add(
                f"{engine}: restored to scratch",
                f"{came['tables']} tables, {came['came']}/{came['rows']} rows, {came['seconds']} s",
            )
            assert int(total) == self.rows * 1000, "the dump is not of one moment"
            self.on(host, "lienthong-database", "forget", came["database"])

    def scan(self) -> None:
        """Signatures of the lab's own; a marked document is kept out, its neighbours are not."""
        host = min(self.hosts)
        for name, text in SIGNATURES.items():
            self.sh(self.vault, f"printf '%s' '{text}' > /srv/signatures/{name}")
        script = (
            'cd /srv/documents && umask 027 && printf %s "$0" > soak-eicar.com && '
            "printf 'lienthong-lab-malware' > soak-marked.doc && printf fine > soak-fine.txt"
        )
        self.on(host, "runuser", "-u", "docs", "--", "sh", "-c", script, EICAR)
        try:
            self.sh(self.vault, "systemctl start lienthong-backup")
            status = json.loads(self.sh(self.vault, "cat /var/lib/lienthong/backup/status.json"))
            told = json.loads(self.sh(self.vault, f"lienthong-vault files newest {host}").splitlines()[-1])
            names = {path.rsplit("/", 1)[-1] for path, _ in told["files"]}
        finally:
            self.sh(host, "rm -f /srv/documents/soak-*")
        self.figures.add("quarantined by the job", status["quarantined"])
        assert status["quarantined"] == 2
        assert "soak-fine.txt" in names and not names & {"soak-eicar.com", "soak-marked.doc"}


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--rows", type=int, default=20_000)
    options = asked.parse_args()
    soak = Databases(lab_name(), options.rows)
    try:
        soak.scan()
        soak.fill()
        soak.fetch_while_written()
        soak.restore()
    finally:
        print(soak.figures.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
