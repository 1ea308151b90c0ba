"""What is retired is gone from the files with all that spoke of it; what others need is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.edit import Draft, Put, Value
from lienthong.errors import InventoryError, LienThongError
from lienthong.inventory import load
from lienthong.inventory.yamlfile import read
from lienthong.plan.build import build

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("sites", "layers"):
        shutil.copytree(ROOT / "inventory" / part, tmp_path / "inventory" / part)
    for path in (tmp_path / "inventory" / "sites").glob("*.yaml"):
        if path.stem not in {"tinh-uy", "loc-ninh", "bu-dop"}:
            path.unlink()
    return tmp_path / "inventory"


def run(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["retire", *words, "--root", str(folder.parent)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(folder: Path, site: str, *edits: Put) -> None:
    draft = Draft(folder)
    draft.edit(f"sites/{site}.yaml", *edits)
    draft.commit()


def test_a_host_of_a_layer_goes_with_its_port_its_system_and_its_keys(folder: Path) -> None:
    known = "10.9.9.9,loc-ninh-srv ssh-ed25519 AAAA\nloc-ninh-srv,bu-dop-srv ssh-rsa BBBB\n# loc-ninh-srv\n"
    (folder / "known_hosts").write_text(known)
    output = run(folder, "loc-ninh-srv")
    plan = build(load(folder))
    site = plan.sites["loc-ninh"].site
    assert "srv" not in site.hosts and "meeting" not in site.systems and "vc" in site.hosts
    assert site.devices["sw-wan"].ports["e2"].unused
    assert not [flow for one in plan.sites.values() for flow in one.flows if "loc-ninh-srv" in str(flow)]
    assert "system meeting" in output and "the host key of loc-ninh-srv is no longer trusted" in output
    left = "10.9.9.9 ssh-ed25519 AAAA\nbu-dop-srv ssh-rsa BBBB\n# loc-ninh-srv\n"
    assert (folder / "known_hosts").read_text() == left
    assert list(read(folder / "sites" / "loc-ninh.yaml", "x").value["hosts"].items())[-1] == ("srv", None)


def test_a_host_of_the_sites_own_file_leaves_no_trace(folder: Path) -> None:
    before = contents(folder)
    put(
        folder,
        "loc-ninh",
        Put(("hosts", "mail"), {"segment": "servers", "id": 11}),
        Put(("devices", "sw-wan", "ports", "e20"), {"host": "mail", "cable": "C-20"}),
        Put(("systems", "mail"), {"name": {"vi": "Thư", "en": "Mail"}, "host": "mail"}),
    )
    run(folder, "loc-ninh-mail")
    assert read(folder / "sites" / "loc-ninh.yaml", "x").value["devices"] == {
        "sw-wan": {"ports": {"e20": {"unused": True}}}
    }
    own = read(folder / "sites" / "loc-ninh.yaml", "x").value
    del own["devices"]
    (folder / "was.yaml").write_bytes(before["sites/loc-ninh.yaml"])
    assert own == read(folder / "was.yaml", "x").value


def test_secrets_that_nobody_needs_any_more_are_named(folder: Path) -> None:
    assert "nobody needs any more: sip/loc-ninh-vc" in run(folder, "loc-ninh-vc")


def test_what_another_system_reaches_is_taken_out_there(folder: Path) -> None:
    reaches: Value = [
        {"node": "loc-ninh-srv", "ports": [443], "why": "records"},
        {"outside": "central-wan", "ports": [443], "why": "members"},
    ]
    put(folder, "bu-dop", Put(("systems", "meeting", "reaches"), reaches))
    assert "system meeting of bu-dop no longer reaches it" in run(folder, "loc-ninh-srv")
    (left,) = load(folder).sites["bu-dop"].systems["meeting"].reaches
    assert left.outside == "central-wan"


def test_a_list_of_a_layer_is_said_anew_without_it(folder: Path) -> None:
    draft = Draft(folder)
    reaches: Value = [{"node": "loc-ninh-srv", "ports": [443], "why": "records"}]
    draft.edit("layers/kinds/district.yaml", Put(("site", "systems", "meeting", "reaches"), reaches))
    draft.commit()
    run(folder, "loc-ninh-srv")
    assert load(folder).sites["bu-dop"].systems["meeting"].reaches == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("loc-ninh-gw-wan", "line tslcd-a ends on it"),
        ("loc-ninh-gw-wan", "segment users has no other gateway"),
        ("loc-ninh-sw-wan", "gateway gw-wan is cabled through it"),
        ("loc-ninh-sw-wan", "host vc is on its port e3"),
        ("tinh-uy-svc-wan", r"bu-dop: devices\.gw-wan\.runs\.dns\.forward_node"),
        ("tinh-uy", "every TSLCD line ends"),
        ("tinh-uy-vault-wan", "nobody backs meeting up"),
        ("loc-nin-srv", "did you mean loc-ninh-srv"),
    ],
)
def test_what_others_need_is_refused_with_its_name(folder: Path, name: str, reason: str) -> None:
    before = contents(folder)
    with pytest.raises(LienThongError, match=reason):
        run(folder, name)
    assert contents(folder) == before


def second_switch(folder: Path) -> None:
    put(
        folder,
        "loc-ninh",
        Put(("devices", "sw-wan", "ports", "e20"), {"device": "sw-two", "far_port": "e1"}),
        Put(
            ("devices", "sw-two"),
            {
                "role": "switch",
                "side": "wan",
                "platform": "linux-sw",
                "id": 3,
                "ports": {"e1": {"device": "sw-wan", "far_port": "e20"}, "e2": {"unused": True}},
            },
        ),
    )


def test_a_switch_with_nothing_on_it_goes_and_its_neighbours_port_is_shut(folder: Path) -> None:
    second_switch(folder)
    run(folder, "loc-ninh-sw-two")
    site = load(folder).sites["loc-ninh"]
    assert "sw-two" not in site.devices and site.devices["sw-wan"].ports["e20"].unused


def test_a_switch_that_another_is_cabled_through_stays(folder: Path) -> None:
    second_switch(folder)
    with pytest.raises(LienThongError, match="switch sw-two is cabled through it"):
        run(folder, "loc-ninh-sw-wan")


def test_an_open_socket_hangs_on_its_switch(folder: Path) -> None:
    second_switch(folder)
    put(folder, "loc-ninh", Put(("devices", "sw-two", "ports", "e3"), {"segment": "users"}))
    with pytest.raises(LienThongError, match="its port e3 is open to segment users"):
        run(folder, "loc-ninh-sw-two")


def test_a_site_goes_and_its_unit_stays_written_with_its_successor(folder: Path) -> None:
    put(folder, "bu-dop", Put(("valid",), {"until": "2026-06-30"}))
    put(folder, "loc-ninh", Put(("succeeds",), ["bu-dop"]), Put(("valid",), {"from": "2026-07-01"}))
    output = run(folder, "bu-dop")
    inventory = load(folder)
    assert "bu-dop" not in inventory.sites
    assert inventory.sites["loc-ninh"].units["bu-dop"].name.vi == "Huyện ủy Bù Đốp"
    assert "stays written in the units of loc-ninh" in output and "number 6 is free" in output
    assert "ospf/bu-dop" in output and "wireguard/bu-dop-gw-net" in output


@pytest.mark.parametrize("key", ["parent", "owner"])
def test_a_site_that_others_stand_under_is_refused(folder: Path, key: str) -> None:
    path = ("parent",) if key == "parent" else ("systems", "meeting", "owner")
    put(folder, "loc-ninh", Put(path, "bu-dop"))
    with pytest.raises(LienThongError, match=rf"loc-ninh: {'.'.join(path)}"):
        run(folder, "bu-dop")


def test_a_site_that_keeps_others_copies_is_refused(folder: Path) -> None:
    put(folder, "bu-dop", Put(("buildings", "main"), {"name": "Nhà chính"}))
    put(
        folder,
        "tinh-uy",
        Put(
            ("hosts", "vault-wan", "runs", "backup", "copies"),
            [
                {"name": "one", "place": "bu-dop/main", "medium": "disk"},
                {"name": "two", "place": "tinh-uy/archive", "medium": "disk"},
            ],
        ),
    )
    with pytest.raises(LienThongError, match=r"copies\.0\.place"):
        run(folder, "bu-dop")


def test_a_client_goes(folder: Path) -> None:
    put(folder, "loc-ninh", Put(("clients", "pc-1"), {"segment": "users", "mac": "52:54:00:12:34:56"}))
    before = contents(folder)
    run(folder, "loc-ninh-pc-1")
    assert not load(folder).sites["loc-ninh"].clients
    assert before != contents(folder) and b"clients" not in contents(folder)["sites/loc-ninh.yaml"]


def test_a_dry_run_shows_and_writes_nothing(folder: Path) -> None:
    before = contents(folder)
    output = run(folder, "loc-ninh-srv", "--dry-run")
    assert "+  srv: null" in output and output.endswith("nothing was written\n")
    assert contents(folder) == before


def test_two_things_of_one_name_are_told_apart(folder: Path) -> None:
    site = (folder / "sites" / "loc-ninh.yaml").read_text()
    site = site.replace("number: 5", "number: 1905").replace('"1005"', '"2905"')
    site = site.replace("203.0.113.22", "203.0.113.250").replace("203.0.113.21", "203.0.113.249")
    (folder / "sites" / "loc-ninh-srv.yaml").write_text(site)
    with pytest.raises(LienThongError, match="several things"):
        run(folder, "loc-ninh-srv")
    run(folder, "loc-ninh/srv")
    assert "srv" not in load(folder).sites["loc-ninh"].hosts


def test_a_wrong_inventory_is_said_first(folder: Path) -> None:
    (folder / "sites" / "bu-dop.yaml").write_text("number: 5\n")
    with pytest.raises(InventoryError):
        run(folder, "loc-ninh-srv")
