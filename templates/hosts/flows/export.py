#!/usr/bin/python3
"""Written by Liên Thông. Keeps pmacctd at work on a gateway: on the interfaces there are, heard by its collector.

pmacctd opens its interfaces once: one that comes later, or goes and comes again (Open vSwitch was started anew),
it never hears. And it says only now and then how its records are to be read (IPFIX templates, every 18 packets):
a collector that was started anew in between understands nothing, on a quiet line for minutes. So this program
starts it anew when an interface came, went or is another one of the same name, and when the collector's port was
shut and is open again: it sends there an IPFIX message with nothing in it and sees whether the answer is
"port unreachable". The collector leaves its port shut long enough for that (lienthong-flows.service).

    lienthong-flows-export /etc/lienthong/flows/export.json     (as its unit does)
"""

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

NETS = "/sys/class/net"
PMACCTD = "/usr/sbin/pmacctd"
STOP_S = 5.0
#: An observation domain of its own, so that these messages are not counted among pmacctd's (RFC 7011, 3.1).
DOMAIN = 0xFFFFFFFF


def there(names, nets=NETS):
    """The interfaces that are there, each with the number that tells one from a later one of the same name."""
    found = {}
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            found[name] = int(Path(nets, name, "ifindex").read_text(encoding="ascii"))
    return found


def empty(now_s):
    """An IPFIX message that says nothing: a header of 16 bytes (RFC 7011, 3.1)."""
    return struct.pack("!HHIII", 10, 16, int(now_s) & 0xFFFFFFFF, 0, DOMAIN)


class Collector:
    """The port that records go to."""

    def __init__(self, source, address, port):
        """Raises OSError while the source is no address of this system."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((source, 0))
            self.socket.connect((address, port))
        except OSError:
            self.socket.close()
            raise
        self.shut = False

    def came_back(self):
        """Ask once more; whether nobody listened at some time and somebody does now."""
        try:
            # What the last message met is told now, as an error of this call.
            self.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self.socket.recv(64)
            self.socket.send(empty(time.time()))
        except OSError:
            self.shut = True
            with contextlib.suppress(OSError):
                self.socket.send(empty(time.time()))
            return False
        was, self.shut = self.shut, False
        return was


def stop(child):
    """End pmacctd in good order, so that what it has counted is sent; else by force."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def start(found, listed, conf):
    """pmacctd on these interfaces, on what comes in to each: so every packet is counted once."""
    text = "".join(f"ifindex={number} ifname={name} direction=in\n" for name, number in sorted(found.items()))
    Path(listed).write_text(text, encoding="ascii")
    return subprocess.Popen([PMACCTD, "-f", conf])


def watch(said, child, found, collector, tick_s):
    """Until pmacctd must be started anew; why. Ends the program when pmacctd has ended by itself."""
    settled = found
    while True:
        time.sleep(tick_s)
        if child.poll() is not None:
            sys.exit(f"pmacctd ended with {child.returncode}")
        now = there(said["interfaces"])
        # Only what two looks agree about: while a bridge is built anew its ports come one by one.
        if now != found and now == settled:
            return "interfaces are others: " + ", ".join(sorted({*now} ^ {*found}) or sorted(now))
        settled = now
        if collector.came_back():
            return "the collector listens again"


def main():
    """Until told to stop."""
    said = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tick_s = said["tick_s"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    collector = Collector(said["source"], said["collector"], said["port"])
    listed = os.path.join(os.environ["RUNTIME_DIRECTORY"], "interfaces")
    while True:
        found = there(said["interfaces"])
        if not found:
            time.sleep(tick_s)
            continue
        child = start(found, listed, said["conf"])
        try:
            why = watch(said, child, found, collector, tick_s)
        finally:
            if child.poll() is None:
                stop(child)
        print(f"pmacctd is started anew: {why}", flush=True)


if __name__ == "__main__":
    main()
