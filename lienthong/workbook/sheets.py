"""The sheets of the workbook and their columns."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from lienthong.model import asset, base, gear, system, words
from lienthong.model import site as sites
from lienthong.workbook.columns import ITEM, Column, Sheet, of


def _key(key: str, vi: str, about: str, hint: Any = words.Slug, **more: Any) -> Column:
    return Column(key, vi, about, hint, needed=more.pop("needed", True), **more)


SITE = _key(
    "site", "Mã cơ quan", "slug or Vietnamese name of the site, as on sheet Sites", words.Text, width=20
)


def _asset(group: str, name: str) -> tuple[Column, ...]:
    here = (group, name)
    there = (*here, "asset")
    models: dict[str, type[BaseModel]] = {
        "devices": gear.Device,
        "hosts": gear.Host,
        "clients": asset.Client,
    }
    model = models[group]
    firmware = (of(model, "firmware", "Phiên bản", here),) if group != "clients" else ()
    return (
        of(model, "model", "Hãng, kiểu máy", here, width=22),
        *firmware,
        of(model, "serial", "Số sê-ri", here),
        of(asset.Asset, "code", "Mã tài sản", there, key="asset_code"),
        of(asset.Asset, "owner", "Đơn vị chủ quản", there),
        of(asset.Asset, "keeper", "Người giữ", there, width=22),
        of(asset.Asset, "room", "Phòng đặt máy", there, width=18),
        of(asset.Asset, "importance", "Mức quan trọng", there),
        of(asset.Asset, "state", "Tình trạng", there),
        of(asset.Asset, "purchased", "Ngày mua", there),
        of(asset.Asset, "supported_until", "Hết hỗ trợ", there),
    )


_LINE = ("uplinks", "{line}")
_HOST = ("hosts", "{host}")
_PORT = ("devices", "{switch}", "ports", "{port}")
_SYSTEM = ("systems", "{system}")
_REACHED = (*_SYSTEM, "reached_by", ITEM)
_BUILDING = ("buildings", "{building}")

SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "Sites",
        "Cơ quan",
        (
            of(sites.Site, "slug", "Mã cơ quan", (), width=20),
            of(sites.Site, "number", "Số hiệu", (), width=10),
            of(sites.Site, "kind", "Loại cơ quan", (), needed=True, width=20),
            of(base.Bilingual, "vi", "Tên tiếng Việt", ("name",), key="name_vi", needed=True, width=40),
            of(base.Bilingual, "en", "Tên tiếng Anh", ("name",), key="name_en", needed=True, width=40),
            of(sites.Site, "level", "Cấp độ an toàn", (), width=10),
            of(sites.Site, "parent", "Cơ quan cấp trên", ()),
            of(
                gear.Uplink,
                "address",
                "Địa chỉ Internet",
                ("uplinks", "{inet}"),
                key="inet_address",
                width=20,
            ),
            of(gear.Uplink, "gateway", "Cổng nhà mạng", ("uplinks", "{inet}"), key="inet_gateway", width=18),
            Column(
                "dial_number",
                "Số gọi hội nghị",
                "dial number of its conference endpoint; 1000 plus its number is proposed",
                words.Code,
                ("hosts", "{endpoint}", "runs", "videoconf", "number"),
            ),
        ),
    ),
    Sheet(
        "Devices",
        "Thiết bị mạng",
        (
            SITE,
            _key(
                "device", "Tên thiết bị", "gw-wan, gw-net, sw-wan, sw-net: what every site has; or a new name"
            ),
            *_asset("devices", "{device}"),
            of(gear.Device, "role", "Vai trò", ("devices", "{device}")),
            of(gear.Device, "side", "Mạng", ("devices", "{device}")),
            of(gear.Device, "platform", "Nền tảng", ("devices", "{device}")),
            of(gear.Device, "id", "Số cuối địa chỉ", ("devices", "{device}")),
        ),
    ),
    Sheet(
        "Hosts",
        "Máy chủ, đầu cuối",
        (
            SITE,
            _key("host", "Tên máy", "name of the computer at its site, e.g. srv"),
            *_asset("hosts", "{host}"),
            of(gear.Host, "segment", "Phân đoạn mạng", _HOST),
            of(gear.Host, "id", "Số cuối địa chỉ", _HOST),
            of(gear.Host, "public", "Địa chỉ công khai", _HOST),
            Column(
                "services", "Dịch vụ", "services it runs, with commas", tuple[words.Slug, ...], ("*services",)
            ),
            Column("switch", "Bộ chuyển mạch", "switch it is plugged into, e.g. sw-wan", words.Slug),
            Column(
                "port",
                "Cổng",
                "socket of that switch, e.g. e5",
                words.PortName,
                (*_PORT, "host"),
                says="host",
            ),
            of(gear.Port, "cable", "Nhãn cáp", _PORT),
        ),
    ),
    Sheet(
        "Ports",
        "Cổng mạng",
        (
            SITE,
            _key("switch", "Bộ chuyển mạch", "switch of that site, e.g. sw-wan"),
            _key("port", "Cổng", "socket of that switch, e.g. e5", words.PortName),
            of(gear.Port, "segment", "Phân đoạn mạng", _PORT),
            of(gear.Port, "device", "Tới thiết bị", _PORT),
            of(gear.Port, "far_port", "Cổng đầu kia", _PORT),
            of(gear.Port, "carries", "Các phân đoạn", _PORT, width=24),
            of(gear.Port, "unused", "Không dùng", _PORT),
            of(gear.Port, "probe", "Cổng đo", _PORT),
            of(gear.Port, "cable", "Nhãn cáp", _PORT),
        ),
    ),
    Sheet(
        "Uplinks",
        "Đường truyền",
        (
            SITE,
            _key(
                "line", "Tên đường", "tslcd-a, tslcd-b, inet0: what layers give; or a new one", words.PortName
            ),
            of(gear.Uplink, "kind", "Loại", _LINE),
            of(gear.Uplink, "device", "Thiết bị", _LINE),
            of(gear.Uplink, "provider", "Nhà cung cấp", _LINE, width=24),
            of(gear.Contract, "number", "Số hợp đồng", (*_LINE, "contract"), key="contract_number"),
            of(gear.Contract, "since", "Từ ngày", (*_LINE, "contract"), key="contract_from"),
            of(gear.Contract, "until", "Đến ngày", (*_LINE, "contract"), key="contract_until"),
            of(gear.Uplink, "bandwidth_mbps", "Tốc độ, Mbit/s", _LINE),
            of(gear.Uplink, "spare", "Dự phòng", _LINE),
            of(gear.Uplink, "cost", "Chi phí OSPF", _LINE),
            of(gear.Uplink, "address", "Địa chỉ", _LINE, width=20),
            of(gear.Uplink, "gateway", "Cổng nhà mạng", _LINE, width=18),
        ),
    ),
    Sheet(
        "Clients",
        "Máy trạm, máy in",
        (
            SITE,
            _key("client", "Tên máy", "name of the workstation or printer at its site, e.g. pc-01"),
            of(asset.Client, "segment", "Phân đoạn mạng", ("clients", "{client}"), needed=True),
            of(asset.Client, "mac", "Địa chỉ MAC", ("clients", "{client}"), needed=True, width=20),
            *_asset("clients", "{client}"),
        ),
    ),
    Sheet(
        "Rooms",
        "Nhà, phòng",
        (
            SITE,
            _key("building", "Mã nhà", "short name of the building, e.g. main"),
            of(asset.Building, "name", "Tên nhà", _BUILDING, key="building_name", width=28),
            of(asset.Building, "address", "Địa chỉ nhà", _BUILDING, width=32),
            Column("room", "Mã phòng", "short name of the room, e.g. server-room", words.Slug),
            of(asset.Room, "name", "Tên phòng", (*_BUILDING, "rooms", "{room}"), key="room_name", width=28),
            of(asset.Room, "floor", "Tầng", (*_BUILDING, "rooms", "{room}"), width=8),
        ),
    ),
    Sheet(
        "Systems",
        "Hệ thống thông tin",
        (
            SITE,
            _key("system", "Mã hệ thống", "short name of the system; more rows with it add who may reach it"),
            of(base.Bilingual, "vi", "Tên tiếng Việt", (*_SYSTEM, "name"), key="name_vi", width=30),
            of(base.Bilingual, "en", "Tên tiếng Anh", (*_SYSTEM, "name"), key="name_en", width=30),
            of(system.System, "host", "Máy chủ", _SYSTEM),
            of(system.System, "level", "Cấp độ an toàn", _SYSTEM, width=10),
            of(system.System, "owner", "Đơn vị chủ quản", _SYSTEM),
            of(system.ReachedBy, "zone", "Vùng được vào", _REACHED, key="from_zone"),
            of(system.ReachedBy, "sites", "Từ cơ quan nào", _REACHED, key="from_sites"),
            of(system.ReachedBy, "ports", "Cổng TCP", _REACHED),
            of(system.ReachedBy, "why", "Lý do", _REACHED, width=30),
            of(system.Kept, "paths", "Thư mục sao lưu", (*_SYSTEM, "backup"), key="backup_paths", width=24),
            of(system.Kept, "databases", "Cơ sở dữ liệu", (*_SYSTEM, "backup"), key="backup_databases"),
            of(system.Kept, "rpo_hours", "RPO, giờ", (*_SYSTEM, "backup")),
            of(system.Kept, "keep_months", "Lưu, tháng", (*_SYSTEM, "backup")),
            of(system.Watch, "port", "Cổng theo dõi", (*_SYSTEM, "watch", ITEM), key="watch_port"),
            of(system.Watch, "path", "Trang theo dõi", (*_SYSTEM, "watch", ITEM), key="watch_path"),
        ),
    ),
    Sheet(
        "Segments",
        "Phân đoạn mạng",
        (
            SITE,
            _key("segment", "Phân đoạn", "only those that neither the country nor the kind gives"),
            of(sites.Segment, "side", "Mạng", ("segments", "{segment}")),
            of(sites.Segment, "zone", "Vùng", ("segments", "{segment}")),
            of(sites.Segment, "dhcp", "Cấp địa chỉ", ("segments", "{segment}")),
        ),
    ),
)
