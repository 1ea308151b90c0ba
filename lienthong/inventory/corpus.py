"""A province of any size, made from a seed: what `lienthong bench inventory` and tests measure with.

Every site is valid and different; the same seed yields the same bytes. It is written as an officer
would write it, with comments, quoted words, block and flow mappings, about 30 lines a device.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

_PLACES = ("Lộc Ninh", "Bù Đăng", "Bù Đốp", "Đồng Phú", "Hớn Quản", "Chơn Thành", "Phú Riềng", "Bình Long")
_MAKERS = ("Dell PowerEdge R350", "HPE ProLiant DL20", "Lenovo ThinkSystem SR250", "Supermicro 5019")
_SWITCHES = ("Cisco C9200L-24T", "Aruba 6100 24G", "Juniper EX2300-24T", "Huawei S5735-L24")
_TASKS = (
    "Quản lý đơn thư",
    "Phòng họp không giấy",
    "Quản lý đảng viên",
    "Lưu trữ tài liệu",
    "Văn bản điều hành",
)
_OFFICE = "tinh-uy"
#: A site's hosts: (prefix of the name, segment, first id, how many). With two gateways and four switches, 30.
_HOSTS = (("app", "servers", 10, 14), ("vc", "conference", 20, 4), ("vault", "backup", 10, 2),
          ("dmz", "net-dmz", 10, 4))  # fmt: skip


def write(folder: Path, sites: int, seed: int = 1) -> None:
    """Write an inventory of that many sites, each with 30 devices, under `folder`."""
    for name, text in files(sites, seed):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files(sites: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """(path below `inventory/`, text) of every file."""
    yield "layers/country.yaml", _COUNTRY
    yield "layers/province.yaml", _PROVINCE
    yield "layers/kinds/district.yaml", "# Huyện ủy\nsite: {}\n"
    yield "layers/kinds/provincial-office.yaml", "# Văn phòng Tỉnh ủy\nsite:\n  hub: true\n  level: 3\n"
    for number in range(sites):
        slug = _OFFICE if number == 0 else f"huyen-{number:04d}"
        yield f"sites/{slug}.yaml", site(slug, number, Random(f"{seed}/{number}"))  # noqa: S311 - no secret


def site(slug: str, number: int, random: Random) -> str:
    """One site file: 2 gateways, 4 switches and 24 hosts."""
    place = random.choice(_PLACES)
    hub = number == 0
    lines = [
        f"# {place}, số {number}",
        f"number: {number}",
        f"kind: {'provincial-office' if hub else 'district'}",
        "name:",
        f"  vi: Huyện ủy {place} {number}",
        f'  en: "{place} District Party Committee {number}"',
        "valid:",
        "  from: 2025-07-01",
        "buildings:",
        "  nha-a:",
        "    name: Nhà A",
        f"    address: {random.randint(1, 400)} đường Hùng Vương, {place}",
        "    rooms:",
        "      may-chu: {name: Phòng máy chủ, floor: 1}",
        "      hop: {name: Phòng họp lớn, floor: 2}",
        "uplinks:",
        "  inet0:",
        f"    address: 203.{number // 60 % 250}.{number % 60 * 4}.2/30",
        f"    gateway: 203.{number // 60 % 250}.{number % 60 * 4}.1",
        "    bandwidth_mbps: 200",
        "    contract:",
        f"      number: HD-{number}/2025",
        "      until: 2031-12-31",
        "devices:",
    ]
    hosts = [
        (f"{prefix}-{index + 1:02d}", prefix, segment, first + index)
        for prefix, segment, first, count in _HOSTS
        for index in range(count)
    ]
    for name in ("gw-wan", "gw-net"):
        lines += [f"  {name}:", *_asset(slug, name, random, "Fortinet FG-60F", 4)]
        if hub and name == "gw-wan":
            lines += ["    runs:", "      dns:", "        forward_node: null"]
    wan = [host for host in hosts if host[1] != "dmz"]
    shares = {"sw-wan": wan[:7], "sw-wan-2": wan[7:14], "sw-wan-3": wan[14:], "sw-net": hosts[len(wan) :]}
    for name, mine in shares.items():
        lines += _switch(slug, name, mine, random)
    lines.append("hosts:")
    for host in hosts:
        lines += _host(slug, number, *host, random)
    lines.append("systems:")
    for index, (name, prefix, _, _) in enumerate(hosts):
        if prefix == "app":
            lines += _system(f"he-thong-{index + 1:02d}", name, random)
    return "\n".join(lines) + "\n"


def _asset(slug: str, name: str, random: Random, model: str, depth: int) -> list[str]:
    pad = " " * depth
    year = random.randint(2019, 2025)
    return [
        f"{pad}model: {model}",
        f'{pad}firmware: "{random.randint(1, 17)}.{random.randint(0, 9)}.{random.randint(0, 30)}"',
        f"{pad}serial: SN-{slug}-{name}-{random.randrange(16**8):08X}",
        f"{pad}asset:",
        f"{pad}  code: TS/{slug}/{name}",
        f"{pad}  owner: {slug}",
        f"{pad}  keeper: Tổ công nghệ thông tin, {random.choice(_PLACES)}",
        f"{pad}  room: nha-a/may-chu",
        f"{pad}  importance: {random.choice(('low', 'medium', 'high'))}",
        f"{pad}  state: in-use  # kiểm kê năm {year}",
        f"{pad}  purchased: {year}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
        f"{pad}  supported_until: {year + 12}-06-30",
    ]


def _switch(slug: str, name: str, hosts: list[tuple[str, str, str, int]], random: Random) -> list[str]:
    lines = [f"  {name}:"]
    if name not in {"sw-wan", "sw-net"}:
        lines += [
            "    role: switch",
            "    side: wan",
            "    platform: linux-sw",
            f"    id: {int(name[-1]) + 1}",
        ]
    lines += [*_asset(slug, name, random, random.choice(_SWITCHES), 4), "    ports:"]
    if name == "sw-wan":
        for other in (2, 3):
            lines += [f"      e{20 + other}:", f"        device: sw-wan-{other}", "        far_port: e1"]
    elif name != "sw-net":
        lines += ["      e1:", "        device: sw-wan", f"        far_port: e2{name[-1]}"]
    for index, (host, *_rest) in enumerate(hosts):
        cable = f"{name}/{index + 2}"
        lines += [f"      e{index + 2}:", f"        host: {host}", f"        cable: C-{cable}"]
    return lines


def _host(
    slug: str, number: int, name: str, prefix: str, segment: str, last: int, random: Random
) -> list[str]:
    lines = [f"  {name}:", f"    segment: {segment}", f"    id: {last}"]
    lines += [*_asset(slug, name, random, random.choice(_MAKERS), 4), "    runs:"]
    if prefix == "app":
        return [*lines, "      app: {}"]
    if prefix == "vault":
        return [*lines, "      backup:", "        sources: app", f"        hour: {random.randint(0, 5)}",
                "        rpo_hours: 24", "        keep_daily: 14", "        keep_monthly: 12"]  # fmt: skip
    if prefix == "vc":
        # nothing dials by these numbers: they only have to differ
        return [
            *lines,
            "      videoconf:",
            "        role: endpoint",
            f'        number: "{1000 + number * 8 + last - 20}"',
        ]
    return [*lines, "      portal:", "        updates: updates"]


def _system(name: str, host: str, random: Random) -> list[str]:
    task = random.choice(_TASKS)
    return [
        f"  {name}:",
        "    name:",
        f"      vi: {task}",
        f"      en: {task} (software)",
        f"    host: {host}",
        "    reached_by:",
        "      - zone: users",
        "        sites: own",
        f"        ports: [443, {random.randint(8000, 9000)}]",
        f"        why: cán bộ dùng {task} hằng ngày",
        "      - zone: servers",
        "        ports:",
        "          - 443",
        "        why: 'the servers exchange documents'",
        "    backup:",
        "      paths: [/srv/documents]",
        "      rpo_hours: 24",
        "      keep_months: 24",
        "    watch:",
        "      - {port: 443, path: /documents, every_s: 60}",
    ]


_PROVINCE = """\
province:
  slug: quoc-gia
  name: {vi: Bảng đo, en: Benchmark}
  domain: bench.internal
  wan_pool: 10.0.0.0/9
  net_pool: 10.128.0.0/9
  link_pool: 172.16.0.0/15
  wan_pool6: fd5a:6c69:6e00::/40
  net_pool6: fd5a:6c69:6f00::/40
  outside:
    central-wan: {side: wan, address: 172.30.0.10, name: Log collector of Central}
    internet-dns: {side: net, address: 198.51.100.53, name: Resolver of the provider}
    updates: {side: net, address: 198.51.100.80, name: Update server}
site:
  level: 2
  devices:
    gw-wan:
      runs:
        dns: {forward_node: tinh-uy-gw-wan}
"""

_COUNTRY = """\
site:
  segments:
    users: {side: wan, zone: users, dhcp: true}
    servers: {side: wan, zone: servers}
    conference: {side: wan, zone: conference}
    backup: {side: wan, zone: backup}
    management: {side: wan, zone: management}
    net-users: {side: net, zone: users, dhcp: true}
    net-dmz: {side: net, zone: dmz}
    net-management: {side: net, zone: management}
  devices:
    gw-wan: {role: gateway, side: wan, platform: linux-gw, id: 1, runs: {dhcp: {}}}
    gw-net:
      role: gateway
      side: net
      platform: linux-gw
      id: 1
      runs:
        dhcp: {}
        dns: {forward_outside: internet-dns, blocked: [blocked.example.net]}
    sw-wan:
      role: switch
      side: wan
      platform: linux-sw
      id: 2
      ports:
        e1: {device: gw-wan}
        e11: {segment: management, probe: true}
        e24: {unused: true}
    sw-net:
      role: switch
      side: net
      platform: linux-sw
      id: 2
      ports:
        e1: {device: gw-net}
        e11: {segment: net-management, probe: true}
        e24: {unused: true}
  uplinks:
    inet0: {kind: internet, device: gw-net, provider: Internet provider}
    tslcd-a: {kind: tslcd, device: gw-wan, provider: TSLCD line one, cost: 10}
    tslcd-b: {kind: tslcd, device: gw-wan, provider: TSLCD line two, spare: true, cost: 100}
"""
