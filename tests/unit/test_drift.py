"""What is fetched is kept without secrets and noise, by whom the device names, one commit a change."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.drift.author import NOBODY, Author, author, lasting, moment
from lienthong.drift.fetch import Looked, kept, lines_changed
from lienthong.drift.run import Drift
from lienthong.drift.store import Store, plain_name
from lienthong.drift.told import as_data, as_text
from lienthong.platforms.dialects.frr import FRR
from lienthong.transport.mask import masked
from lienthong.transport.veil import Veil
from tests import boxes
from tests.examples import properties

#: Where secrets stand in the configurations of each vendor; `{}` is the secret.
PLANTED = {
    "cisco-ios": """\
enable secret 9 $9$nhEmQVczB7dqsO$X{}
username netadm privilege 15 secret 5 $1$v1$x{}
username netadm password 0 {} and {}
snmp-server community {} RO 10
snmp-server user u g v3 auth sha {} priv aes 128 {} access 10
 ip ospf message-digest-key 1 md5 7 {}
 ip ospf authentication-key {}
 key-string 7 {}
 key 7 {}
 key {}
tacacs-server host 10.0.0.1 key {}
radius-server key 7 {}
 neighbor 10.0.0.1 password 7 {}
crypto isakmp key {} address 192.0.2.1
 standby 1 authentication md5 key-string {}
 standby 1 authentication text {}
ntp authentication-key 1 md5 {} 7
 ppp chap password 0 {}
 wpa-psk ascii 0 {}
 path ftp://backup:{}@10.0.0.1/x""",
    "juniper-junos": """\
set system root-authentication encrypted-password "$6$ab${}"
set system login user x authentication encrypted-password "$6$ab${}"
set system tacplus-server 10.0.0.1 secret "$9${}"
set system radius-server 10.0.0.1 secret "{}"
set protocols ospf area 0 interface ge-0/0/0.0 authentication md5 1 key "$9${}"
set snmp community {} authorization read-only
set snmp v3 usm local-engine user x authentication-sha authentication-key "$9${}"
set snmp v3 usm local-engine user x privacy-aes128 privacy-password "{}"
set security ike policy p pre-shared-key ascii-text "$9${}"
    encrypted-password "$6$ab${}"; ## SECRET-DATA""",
    "fortinet-fortios": """\
        set password ENC {}AAAABBBB==
        set password <other secret> {}AAAABBBB==
        set passwd ENC {}AAAABBBB
        set psksecret ENC {}AAAABBBB
        set auth-pwd ENC {}AAAABBBB
        set priv-pwd {}
        set key "{} a"
        set server-key "{}"
        set passphrase ENC {}AAAABBBB
        set private-key "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIIE{}
q{}
-----END ENCRYPTED PRIVATE KEY-----\"""",
    "mikrotik-routeros": """\
/user add group=full name=x password={}
/user add group=full name=x password="{} and {}"
/ppp secret add name=x password={} service=l2tp
/routing ospf interface-template add area=a auth=md5 auth-id=1 auth-key={} networks=10.0.0.0/31
/radius add address=10.0.0.1 secret={}
/snmp community add authentication-password={} encryption-password={} name={}
/interface wireguard add name=wg private-key="{}"
/interface wireguard peers add preshared-key="{}"
/ip ipsec identity add secret={}
/interface wifi security add passphrase={}""",
    "huawei-vrp": """\
 local-user netadm password irreversible-cipher $1c${}$abc$
 local-user netadm password cipher %^%#{}%^%#
 ospf authentication-mode md5 1 cipher %$%${}%$%$
 ospf authentication-mode hmac-sha256 1 cipher {}
 ospf authentication-mode md5 1 plain {}
 hwtacacs-server shared-key cipher %@%@{}%@%@
 snmp-agent usm-user v3 u authentication-mode sha2-256 cipher %+%##!{}%+%#
 snmp-agent usm-user v3 u privacy-mode aes128 {}
 snmp-agent community read cipher {}
 snmp-agent community read {}
 set authentication password simple {}""",
    "linux-gw": """\
password {}
enable password 8 {}
 ip ospf message-digest-key 1 md5 {}
 ip ospf authentication-key {}
 neighbor 10.0.0.1 password {}""",
    "cisco-roomos": """\
*c xConfiguration SIP Authentication Password: "{}"
*c xConfiguration Provisioning Password: "{}"
*c xConfiguration SNMP CommunityName: "public"
*c xConfiguration Phonebook Server 1 Password: {}""",
    "anybody": """\
 description the password is {}
banner the secret {} is told to nobody""",
}
SECRET = st.text(
    st.sampled_from("abcdefghijkmnopqrstuvwxyzABCDEFXYZ0123456789./+"), min_size=8, max_size=24
).map(lambda text: "Q" + text + "z")


@pytest.mark.parametrize("vendor", PLANTED)
@properties(30)
@given(secret=SECRET)
def test_no_planted_secret_is_kept(vendor: str, secret: str) -> None:
    for line in PLANTED[vendor].split("\n") if "-----" not in PLANTED[vendor] else [PLANTED[vendor]]:
        without = masked(line.replace("{}", secret))
        assert secret not in without, line
        assert masked(without) == without, line


@pytest.mark.parametrize(
    "line",
    [
        "set password ENC SH2zqj==",
        "local-user x password irreversible-cipher $1c$zqj$",
        "password cipher %^%#zqj%^%#",
    ],
)
def test_a_ciphered_secret_does_not_reach_a_comparison(line: str) -> None:
    assert "zqj" not in Veil(boxes.Store(), []).conceal(line)


def test_what_is_no_secret_is_kept() -> None:
    text = """\
service password-encryption
key chain OSPF
 key 1
interface vlan10
 ip address 10.5.0.1 255.255.255.0
 ip ospf message-digest-key 1 md5 <secret ospf/loc-ninh>
set system login user netadm authentication ssh-ed25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA x"
/ip firewall filter add chain=input action=drop comment="anything else"
/interface wireguard peers add public-key="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        set allowaccess ssh
ssh user netadm assign rsa-key lienthong-netadm
rsa peer-public-key lienthong-netadm encoding-type openssh
 peer-public-key end
 ssh server hmac sha2_256"""
    assert masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a-" * 300_000,
        "password " * 70_000,
        '"' * 600_000,
        "%^%#" * 150_000,
        "key=" * 150_000,
        "x" * 10_000_000,
    ],
    ids=lambda text: text[:6],
)
def test_a_line_without_end_takes_time_that_grows_with_it(text: str) -> None:
    began = time.process_time()
    masked(text)
    assert time.process_time() - began < 5


AT = "06:12:01 UTC Mon Nov 23 2026"
IOS = """\
Building configuration...

Current configuration : 5511 bytes
!
! Last configuration change at 06:12:01 UTC Mon Nov 23 2026 by netadm
! NVRAM config last updated at 06:12:05 UTC Mon Nov 23 2026 by netadm
!
hostname r1
"""


@pytest.mark.parametrize(
    ("text", "who", "when"),
    [
        (IOS, "netadm", AT),
        (f"! Last configuration change at {AT}\n", "unknown", AT),
        ("## Last commit: 2026-11-23 06:12:01 UTC by root\nv;\n", "root", "2026-11-23 06:12:01 UTC"),
        ("0   2026-11-23 06:12:01 UTC by an via cli\n1   x by y via cli\n", "an", "2026-11-23 06:12:01 UTC"),
        (
            "!Software Version V2\n!Last configuration was updated at 2026-11-23 06:12:01+07:00 by binh\n#\n",
            "binh", "2026-11-23 06:12:01+07:00",
        ),
        ("#config-version=FGT60F-7.4.4:opmode=0:vdom=0:user=netadm\n#conf_file_ver=12\n", "unknown", ""),
        ("# 2026-11-23 06:12:01 by RouterOS 7.16\n/ip address\n", "unknown", ""),
        ("Current configuration:\n!\nfrr version 8.4.4\n", "unknown", ""),
        (" description ! Last configuration change at 1 by mallory\n", "unknown", ""),
        ("x\n" * 3000 + f"! Last configuration change at {AT} by mallory\n", "unknown", ""),
    ],
)  # fmt: skip
def test_a_device_tells_who_changed_it(text: str, who: str, when: str) -> None:
    assert author(text) == Author(who, when)


def test_only_a_time_beyond_doubt_is_taken() -> None:
    told = moment("06:12:01 UTC Mon Nov 23 2026")
    assert told is not None
    assert told.isoformat() == "2026-11-23T06:12:01+00:00"
    assert moment("2026-11-23 06:12:01+07:00").isoformat().endswith("+07:00")  # type: ignore[union-attr]
    assert moment("06:12:01 ICT Mon Nov 23 2026") is None
    assert moment("2026-11-23 06:12:01") is None


def test_what_changes_by_itself_is_no_change() -> None:
    later = IOS.replace("06:12", "07:33").replace("5511", "5512").replace("netadm", "other")
    assert lasting(IOS) == lasting(later)
    assert "hostname r1" in lasting(IOS)
    assert lasting("# 2026-11-23 06:12:01 by RouterOS 7.16\n# model = RB5009\n/ip address\n") == (
        "# model = RB5009\n/ip address\n"
    )
    assert lasting(' 0 name="x" last-logged-in=2026-11-23 06:12:01 group=full') == ' 0 name="x" group=full'
    assert (
        kept(FRR, "Building configuration...\n\nhostname a \x1b[2J\u202e\n") == "hostname a \\x1b[2J\\u202e\n"
    )


def test_the_lines_that_went_and_came_are_told() -> None:
    assert lines_changed("a\n-- b\nc\n", "a\n++ d\nc\n") == ["- -- b", "+ ++ d"]
    long = "".join(f"line {number}\n" for number in range(15_000))
    assert lines_changed(long, long + "more\n") == ["+ more"]


def log(folder: Path, form: str) -> list[str]:
    done = subprocess.run(
        ["git", "log", f"--format={form}"], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def keep(store: Store, text: str, by: Author = NOBODY, what: str = "1 line") -> str | None:
    with store.open():
        return store.keep("box", {"frr": text}, by, what)


def test_a_change_is_one_commit_and_no_change_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "configs")
    by = Author("an", "2026-11-23 06:12:01 UTC")
    assert keep(store, "one\n") is not None
    assert keep(store, "one\n") is None
    assert keep(store, "two\n", by, "2 lines: - one") is not None
    assert keep(store, "two\n", by) is None
    assert log(store.folder, "%an <%ae> %ct|%s")[0].startswith("an <an@box> ")
    assert log(store.folder, "%s") == ["box: 2 lines: - one", "box: 1 line"]
    assert log(store.folder, "%aI %cn")[0] == "2026-11-23T06:12:01+00:00 lienthong"
    assert log(store.folder, "%an")[1] == "unknown"
    assert store.folder.stat().st_mode & 0o77 == 0


def test_what_a_killed_run_left_is_taken_back_and_found_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "configs")
    keep(store, "one\n")
    (store.folder / "box.frr.txt").write_text("half", encoding="utf-8")
    (store.folder / ".git" / "index.lock").touch()
    with store.open():
        assert store.read("box", "frr") == "one\n"
    assert keep(store, "two\n") is not None


def test_nothing_of_a_device_steers_git(tmp_path: Path) -> None:
    store = Store(tmp_path / "configs")
    by = Author("\u202e--amend\x1b]0;x\x07<root@x>\nCo-authored-by:", "=HYPERLINK(1)\x1b[2J\n# x")
    assert keep(store, "one\n", by, "\x1b[31m-m\n\nSigned-off-by: root") is not None
    said = subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=store.folder, capture_output=True, check=True
    )
    text = said.stdout.decode()
    assert text.isprintable() is False  # line feeds
    assert text.replace("\n", "").isprintable()
    assert "\nSigned-off-by" not in text
    assert "\nCo-authored-by" not in text
    assert "u202e--amend\\x1b]0;x\\x07root@x Co-authored-by" in log(store.folder, "%an")[0]
    assert plain_name("<>") == "unknown"
    with pytest.raises(Exception, match="no name for a file"):
        store.read("../x", "frr")


def test_the_officers_own_git_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[alias]\n\tx = !false\n[commit]\n\tgpgsign = true\n[user]\n\tuseConfigOnly = true\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert keep(Store(tmp_path / "configs"), "one\n") is not None


SEEN = Looked("a", drift=("- x",), texts={"frr": "x"}, before=True, changed=("+ y",), by=Author("an", "now"))


def test_a_device_that_was_not_seen_never_passes_for_one_without_drift(tmp_path: Path) -> None:
    def drift(*devices: Looked) -> Drift:
        return Drift(devices, {}, tmp_path, 1.0)

    away = Looked("b", why="b: no answer")
    assert drift(SEEN, away).exit_code == 3
    assert drift(SEEN).exit_code == 1
    assert drift(Looked("c", texts={"frr": ""})).exit_code == 0
    row = next(line for line in as_text(drift(SEEN, away)).splitlines() if line.startswith("b "))
    assert "not seen" in row
    assert "none" not in row
    data = json.loads(json.dumps(as_data(drift(SEEN, away))))
    assert [(one["seen"], one["drift"]) for one in data["devices"]] == [(True, ["- x"]), (False, None)]


def test_the_first_time_is_no_change(tmp_path: Path) -> None:
    found = Drift((Looked("c", texts={"frr": ""}),), {"c": "abc"}, tmp_path, 1.0)
    assert "first time" in as_text(found)
    assert SimpleNamespace(**as_data(found)["devices"][0]).changed is None  # type: ignore[index]
