#!/usr/bin/python3 -I
# pyinfra, deploys/dns.py. Turns the officers' list into a response policy zone. A line that is no name is told in
# the log and left out: in a zone it would keep unbound from starting.
import os
import re
import subprocess
import sys
import syslog

LIST, ZONE = "/etc/lienthong/blocked-names", "/etc/unbound/rpz/officer.zone"
NAME = re.compile(r"(?=.{1,200}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
HEAD = """$ORIGIN rpz.officer.
$TTL 300
@ SOA localhost. root.localhost. 1 3600 600 86400 300
@ NS localhost.
"""

syslog.openlog("lienthong-blocked-names")
names = set()
try:
    with open(LIST, encoding="utf-8", errors="replace") as handle:
        for number, line in enumerate(handle, 1):
            word = line.split("#")[0].strip().lower().rstrip(".")
            try:
                word = word.encode("idna").decode("ascii") if word else ""
            except UnicodeError:
                word = "?"
            if word and NAME.match(word):
                names.add(word)
            elif word:
                syslog.syslog(syslog.LOG_WARNING, f"{LIST}:{number}: is no name, left out")
except FileNotFoundError:
    pass
text = HEAD + "".join(f"{name} CNAME .\n*.{name} CNAME .\n" for name in sorted(names))
try:
    with open(ZONE, encoding="ascii") as handle:
        same = handle.read() == text
except FileNotFoundError:
    same = False
if same:
    sys.exit(0)
with open(f"{ZONE}.new", "w", encoding="ascii") as handle:
    handle.write(text)
os.chmod(f"{ZONE}.new", 0o644)
os.replace(f"{ZONE}.new", ZONE)
syslog.syslog(f"{len(names)} names are blocked by the officers' list")
if len(sys.argv) > 1:  # unbound runs already
    subprocess.run(["systemctl", "try-reload-or-restart", "unbound.service"], check=True)
