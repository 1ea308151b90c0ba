"""The example rows of the template: a province of three sites that validates as it stands."""

from __future__ import annotations

from datetime import date

Cell = str | int | date

#: By sheet; every row by column. Numbers and dates are such, so that Excel shows them as its user expects.
ROWS: dict[str, list[dict[str, Cell]]] = {
    "Sites": [
        {
            "slug": "tinh-uy",
            "number": 0,
            "kind": "provincial-office",
            "name_vi": "Văn phòng Tỉnh ủy Bình Phước",
            "name_en": "Office of the Bình Phước Provincial Party Committee",
            "inet_address": "203.0.113.2/30",
            "inet_gateway": "203.0.113.1",
        },
        {
            "slug": "loc-ninh",
            "number": 5,
            "kind": "district",
            "name_vi": "Huyện ủy Lộc Ninh",
            "name_en": "Lộc Ninh District Party Committee",
            "parent": "tinh-uy",
            "inet_address": "203.0.113.22/30",
            "inet_gateway": "203.0.113.21",
            "dial_number": "1005",
        },
        {
            "kind": "board",
            "name_vi": "Ban Tổ chức Tỉnh ủy",
            "name_en": "Organisation Board",
            "parent": "tinh-uy",
            "inet_address": "203.0.113.86/30",
            "inet_gateway": "203.0.113.85",
        },
    ],
    "Devices": [
        {
            "site": "loc-ninh",
            "device": "gw-wan",
            "model": "Supermicro E300-9D",
            "firmware": "Debian 12",
            "serial": "E261234A0012",
            "asset_code": "LN-0001",
            "keeper": "Văn thư - cơ yếu",
            "room": "main/comms",
            "importance": "high",
            "state": "in-use",
            "purchased": date(2024, 3, 15),
            "supported_until": date(2031, 3, 14),
        },
        {
            "site": "loc-ninh",
            "device": "sw-wan",
            "serial": "0012345678",
            "asset_code": "LN-0002",
            "room": "main/comms",
            "state": "in-use",
        },
    ],
    "Hosts": [
        {
            "site": "loc-ninh",
            "host": "srv",
            "model": "Dell PowerEdge T350",
            "firmware": "Debian 12",
            "serial": "7XKQ2R3",
            "asset_code": "LN-0010",
            "room": "main/comms",
            "importance": "high",
            "state": "in-use",
            "purchased": date(2024, 6, 1),
        },
        {
            "site": "Huyện ủy Lộc Ninh",
            "host": "records",
            "segment": "servers",
            "id": 11,
            "serial": "7XKQ2R4",
            "switch": "sw-wan",
            "port": "e5",
            "cable": "LN-C-05",
        },
    ],
    "Ports": [{"site": "loc-ninh", "switch": "sw-wan", "port": "e6", "segment": "users", "cable": "LN-C-06"}],
    "Uplinks": [
        {
            "site": "loc-ninh",
            "line": "inet0",
            "provider": "VNPT Bình Phước",
            "contract_number": "HD-2026-017",
            "contract_from": date(2026, 1, 1),
            "bandwidth_mbps": 200,
        },
    ],
    "Clients": [
        {
            "site": "loc-ninh",
            "client": "pc-01",
            "segment": "users",
            "mac": "52:54:00:12:34:56",
            "model": "HP ProDesk 400",
            "serial": "4CE0123ABC",
            "asset_code": "LN-0100",
        },
        {
            "site": "Ban Tổ chức Tỉnh ủy",
            "client": "printer-1",
            "segment": "users",
            "mac": "52:54:00:12:34:57",
        },
    ],
    "Rooms": [
        {
            "site": "loc-ninh",
            "building": "main",
            "building_name": "Trụ sở Huyện ủy",
            "address": "Thị trấn Lộc Ninh",
            "room": "comms",
            "room_name": "Phòng máy chủ",
            "floor": 2,
        },
    ],
    "Systems": [
        {
            "site": "loc-ninh",
            "system": "records",
            "name_vi": "Quản lý hồ sơ đảng viên",
            "name_en": "Records of members",
            "host": "records",
            "from_zone": "users",
            "from_sites": "own",
            "ports": "443",
            "why": "the district office keeps its records here",
            "watch_port": 443,
        },
    ],
    "Segments": [],
}
