#!/usr/bin/python3 -I
# Kept by Liên Thông. Takes back a change of this device's configuration that nobody confirmed.
#   lienthong-undo arm SECONDS   remember the configuration as it is; return to it after SECONDS
#   lienthong-undo confirm       the change is good: forget what was remembered
#   lienthong-undo fire          return now (also run at boot when a change was never confirmed)
#   lienthong-undo status        what is armed, if anything
# Exit codes: 0 done, 3 nothing is armed, 4 something is armed already, 5 the return is not complete.
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

DIR = "/var/lib/lienthong/undo"
ARMED, FRR, OVS = f"{DIR}/armed", f"{DIR}/frr.conf", f"{DIR}/ovs.db"
NFT, UNITS = f"{DIR}/nft.json", f"{DIR}/units.json"
KEPT = (ARMED, FRR, OVS, NFT, UNITS)
NFT_FILES = "/etc/nftables.conf", "/etc/nftables.d"
#: Units whose being enabled decides how the system comes up.
WATCHED = "frr.service", "openvswitch-switch.service", "nftables.service", "ssh.service"
SOCKET = "/var/run/openvswitch/db.sock"
RELOAD = "/usr/lib/frr/frr-reload.py"


def out(*argv, **options):
    return subprocess.run(argv, check=True, capture_output=True, **options).stdout


def frr():
    lines = out("/usr/bin/vtysh", "-c", "show running-config").decode().splitlines()
    keep = [line for line in lines if not line.startswith(("Building conf", "Current conf"))]
    return "\n".join(keep).strip() + "\n"


def ovs():
    return out("ovsdb-client", "backup", f"unix:{SOCKET}", "Open_vSwitch")


def nft():
    """The packet filter: what is in force (without counters), and the files that load it at boot."""
    if not os.path.exists("/usr/sbin/nft"):
        return None
    files = {}
    for place in NFT_FILES:
        names = [f"{place}/{name}" for name in sorted(os.listdir(place))] if os.path.isdir(place) else [place]
        for name in names:
            if os.path.isfile(name):
                with open(name, encoding="utf-8") as handle:
                    files[name] = [os.stat(name).st_mode & 0o7777, handle.read()]
    return {"live": out("nft", "-s", "list", "ruleset").decode(), "files": files}


def units():
    found = {}
    for name in WATCHED:
        done = subprocess.run(["systemctl", "is-enabled", name], capture_output=True, text=True)
        found[name] = done.stdout.strip()
    return found


def kept(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as handle:
        return json.load(handle)


def return_nft(before):
    now = nft()
    if before is None or now == before:
        return
    for name in now["files"].keys() - before["files"].keys():
        os.remove(name)
    for name, (mode, text) in before["files"].items():
        with open(f"{name}.new", "w", encoding="utf-8") as handle:
            handle.write(text)
        os.chmod(f"{name}.new", mode)
        os.replace(f"{name}.new", name)
    if now["live"] != before["live"]:
        out("nft", "-f", "-", input=f"flush ruleset\n{before['live']}".encode())


def return_units(before):
    for name, was in (before or {}).items():
        now = units()[name]
        if now != was and {now, was} == {"enabled", "disabled"}:
            out("systemctl", "enable" if was == "enabled" else "disable", name)


def content(backup):
    """The rows of a backup without what every transaction counts up."""
    rows = json.loads(backup.splitlines()[-1])
    for name in [name for name in rows if name.startswith("_")]:
        del rows[name]
    for row in rows.get("Open_vSwitch", {}).values():
        for counter in ("cur_cfg", "next_cfg"):
            row.pop(counter, None)
    return rows


def write(path, data):
    with open(path, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    folder = os.open(DIR, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def remove(*paths):
    for path in paths:
        if os.path.exists(path):
            os.remove(path)


def arm(seconds):
    if os.path.exists(ARMED):
        print(f"a change is armed already, it returns in {left()} s")
        return 4
    remove(*KEPT)
    write(NFT, json.dumps(nft()).encode())
    write(UNITS, json.dumps(units()).encode())
    write(FRR, frr().encode())
    if os.path.exists(SOCKET):
        write(OVS, ovs())
    write(ARMED, f"{time.time() + seconds:.0f}\n".encode())
    try:
        out("systemd-run", "--quiet", f"--on-active={seconds}", "--timer-property=AccuracySec=100ms",
            "--unit=lienthong-undo.service")  # fmt: skip
    except subprocess.CalledProcessError as error:
        remove(*KEPT)
        print(error.stderr.decode(errors="replace").strip())
        return 5
    print(f"armed for {seconds} s")
    return 0


def confirm():
    if not os.path.exists(ARMED):
        print("nothing is armed: the undo has fired, or another hand has confirmed")
        return 3
    remove(*KEPT)
    stop_timer()
    print("confirmed")
    return 0


def fire():
    if not os.path.exists(ARMED):
        return 3
    end_shells()
    wrong = []
    for path, back in ((NFT, return_nft), (UNITS, return_units)):
        try:
            back(kept(path))
        except (OSError, subprocess.CalledProcessError) as error:
            wrong.append(f"{path}: {getattr(error, 'stderr', b'') or error}")
    if os.path.exists(OVS):
        with open(OVS, "rb") as handle:
            before = handle.read()
        if content(before) != content(ovs()):
            with open(OVS, "rb") as handle:  # it seeks, so a pipe will not do
                done = subprocess.run(
                    ["ovsdb-client", "restore", f"unix:{SOCKET}"], stdin=handle, capture_output=True
                )
            if done.returncode:
                wrong.append(done.stderr.decode(errors="replace").strip())
    for _ in range(3):
        if same():
            break
        done = subprocess.run([RELOAD, "--reload", FRR], capture_output=True)
    if not same():
        wrong.append("FRR is not as it was: " + done.stderr.decode(errors="replace").strip()[-500:])
    wrong += raise_links()
    if wrong:
        print("\n".join(wrong))
        return 5  # stays armed: the next boot tries again
    remove(*KEPT)
    stop_timer()
    print("returned to the configuration before the change")
    return 0


def end_shells():
    """A line that its sender gave up for lost must not come after the return: who was typing logs in anew."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            typed = os.readlink(f"/proc/{pid}/fd/0").startswith("/dev/pts/")
            if typed and os.readlink(f"/proc/{pid}/exe") == "/usr/bin/vtysh":
                os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass  # it has ended meanwhile


def raise_links():
    """FRR raises what it addresses, unless Open vSwitch is still making it: then it stays down."""
    if os.path.exists(SOCKET):  # it answers once it has made what its database says
        subprocess.run(["ovs-appctl", "--timeout=20", "-t", "ovs-vswitchd", "version"], capture_output=True)
    wrong, down, addressed, named = [], set(), set(), ""
    for line in frr().splitlines():
        words = line.split()
        if not line.startswith(" "):
            named = words[1] if words[:1] == ["interface"] else ""
        elif named and words[0] == "shutdown":
            down.add(named)
        elif named and words[:2] in (["ip", "address"], ["ipv6", "address"]):
            addressed.add(named)
    for name in sorted(addressed - down):
        if os.path.exists(f"/sys/class/net/{name}"):
            done = subprocess.run(["ip", "link", "set", "dev", name, "up"], capture_output=True)
            if done.returncode:
                wrong.append(f"{name} stays down: " + done.stderr.decode(errors="replace").strip())
    return wrong


def same():
    with open(FRR, encoding="utf-8") as handle:
        return sections(handle.read()) == sections(frr())


def sections(text):
    """Lines with their section; a section without lines says nothing."""
    found, head = set(), ""
    for line in text.splitlines():
        if line.strip() in {"!", "exit", "end", ""}:
            continue
        if not line.startswith(" "):
            head = line
            if not line.startswith(("interface ", "router ", "bfd")):
                found.add(line)
        else:
            found.add((head, line.strip()))
    return found


def stop_timer():
    subprocess.run(["systemctl", "stop", "lienthong-undo.timer"], capture_output=True)


def left():
    with open(ARMED, encoding="ascii") as handle:
        return max(0, int(handle.read()) - int(time.time()))


def status():
    print(f"armed, returns in {left()} s" if os.path.exists(ARMED) else "nothing is armed")
    return 0


def main(argv):
    os.umask(0o077)
    os.makedirs(DIR, mode=0o700, exist_ok=True)
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    with open("/run/lienthong-undo.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if argv[:1] == ["arm"] and len(argv) == 2:
            return arm(int(argv[1]))
        verbs = {"confirm": confirm, "fire": fire, "status": status}
        if len(argv) != 1 or argv[0] not in verbs:
            print("usage: lienthong-undo arm SECONDS | confirm | fire | status", file=sys.stderr)
            return 2
        return verbs[argv[0]]()


sys.exit(main(sys.argv[1:]))
