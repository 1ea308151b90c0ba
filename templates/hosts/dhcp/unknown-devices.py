#!/usr/bin/python3 -I
# pyinfra, deploys/dhcp.py. Tells in the log of each device that holds a lease and is not in the inventory, once a boot.
# What the device says of itself is not repeated: it may say anything.
import csv
import re
import syslog
import time

KNOWN, TOLD = "/etc/lienthong/known-macs", "/run/lienthong-unknown-devices"
LEASES = ("/var/lib/kea/kea-leases4.csv.2", "/var/lib/kea/kea-leases4.csv")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
ADDRESS = re.compile(r"[0-9.]{7,15}")


def lines(path):
    try:
        with open(path, encoding="ascii", errors="replace") as handle:
            return handle.read().splitlines()
    except FileNotFoundError:
        return []


time.sleep(1)  # Kea writes a line at a time
syslog.openlog("lienthong-unknown-devices")
known, told = set(lines(KNOWN)), set(lines(TOLD))
for path in LEASES:
    for row in csv.reader(lines(path)):
        if len(row) < 10 or not (MAC.fullmatch(row[1]) and ADDRESS.fullmatch(row[0]) and row[5].isdigit()):
            continue
        if row[9] != "0" or row[1] in known or row[1] in told:
            continue
        told.add(row[1])
        syslog.syslog(syslog.LOG_WARNING, f"unknown device {row[1]} has {row[0]} in VLAN {row[5]}")
with open(TOLD, "w", encoding="ascii") as handle:
    handle.writelines(f"{mac}\n" for mac in sorted(told))
