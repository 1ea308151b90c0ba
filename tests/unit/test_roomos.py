"""Cisco RoomOS: what an endpoint is told, and how a simulated one takes it and is typed back."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Interface

import pytest

from lienthong.diff import Diff, compare, future
from lienthong.errors import Unreachable
from lienthong.guard import Management, Predicted, reasons
from lienthong.model.endpoint import EndpointWanted
from lienthong.model.intent import Node
from lienthong.plan.endpoint import endpoint_wanted
from lienthong.plan.wanted import management_networks
from lienthong.platforms import Lines
from lienthong.platforms.cisco_roomos import PLATFORM
from lienthong.platforms.dialects.roomos import DEFAULTS, ROOMOS, commands, parse
from lienthong.platforms.undo import Rejected
from lienthong.render import render_endpoint
from lienthong.runners.evidence import taken_away
from lienthong.sim.vendors.cisco_roomos import VENDOR
from lienthong.sim.vendors.cisco_roomos.box import RoomOs
from lienthong.sim.vendors.cisco_roomos.valuespace import SETTINGS
from lienthong.transport.reading import _last
from lienthong.transport.veil import Veil
from tests.boxes import CONTROLLER, KEY, ROOT, BoxSession, Store, province

GOLDEN = ROOT / "tests" / "golden" / "gear" / "loc-ninh-vc.roomos.txt"
PASSWORD = "SIP Authentication Password"


def node() -> Node:
    return replace(province().nodes["loc-ninh-vc"], platform="cisco-roomos", debian=False)


def told() -> EndpointWanted:
    return endpoint_wanted(province(), node())


def lines(wanted: EndpointWanted) -> Lines:
    return render_endpoint(wanted, PLATFORM, ROOMOS, ROOT / "templates")


class Endpoint:
    """One endpoint under the tool, without an undo."""

    def __init__(self, history: str = "") -> None:
        self.intended = lines(told())
        self.veil = Veil(Store(), self.intended)
        managed = told().address
        box = VENDOR.make(node().name, managed, [KEY])
        assert isinstance(box, RoomOs)
        self.box = box
        box.load(history)
        box.power_on()

    def session(self) -> BoxSession:
        return BoxSession(self.box, ROOMOS, self.veil)

    def running(self) -> Lines:
        session = self.session()
        try:
            return parse(session.show(ROOMOS.show))
        finally:
            session.close()

    def diff(self, intended: Lines | None = None) -> Diff:
        return compare(ROOMOS, self.intended if intended is None else intended, self.running())

    def send(self, removed: Lines, added: Lines) -> None:
        session = self.session()
        try:
            session.configure(commands(removed, added))
            session.save()
        finally:
            session.close()

    def bring(self, intended: Lines | None = None) -> Diff:
        """Compare, send, compare again on a new login."""
        diff = self.diff(intended)
        if diff:
            wanted = frozenset(self.intended if intended is None else intended)
            after = future(self.running(), diff)
            assert {line for line in after if ROOMOS.owns(line, wanted)} == wanted
            self.send(diff.removed, diff.added)
            left = self.diff(intended)
            assert not left, left.told
        return diff


def line(path: str, value: str) -> tuple[str]:
    return (f"xConfiguration {path}: {value}",)


def changed(**values: object) -> Lines:
    return lines(replace(told(), **values))  # type: ignore[arg-type]


def test_an_endpoint_is_told_what_the_golden_file_says() -> None:
    text = "".join(f"{one}\n" for (one,) in lines(told()))
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_all_that_is_owned_is_told_and_the_path_of_management_last() -> None:
    paths = [one.removeprefix("xConfiguration ").split(": ")[0] for (one,) in lines(told())]
    assert paths == list(DEFAULTS)
    assert paths[-1] == "NetworkServices SSH Mode"
    assert paths.index("SystemUnit Name") > paths.index(PASSWORD)


def test_factory_values_are_the_ones_that_the_device_has() -> None:
    for path, value in DEFAULTS.items():
        setting = SETTINGS[path]
        assert setting.shown(setting.default) == value, path
        assert setting.read(value) == setting.default, path


def test_no_public_address_no_answering_by_itself_no_call_in_clear() -> None:
    found = dict(one.removeprefix("xConfiguration ").split(": ", 1) for (one,) in lines(told()))
    assert found["Conference AutoAnswer Mode"] == "Off"
    assert found["Conference Encryption Mode"] == "On"
    assert found["NetworkServices HTTP Mode"] == "HTTPS"
    assert found["NetworkServices SNMP Mode"] == "Off"
    assert found["Network 1 RemoteAccess Allow"] == '"10.0.4.0/24,10.0.44.0/24"'
    assert [found[f"Network 1 QoS Diffserv {what}"] for what in ("Audio", "Video", "Signalling")] == [
        "46",
        "34",
        "24",
    ]
    assert told().address.ip.is_private
    assert told().rtp == (10000, 20000)


def test_from_a_new_device_to_nothing_left() -> None:
    endpoint = Endpoint()
    first = endpoint.bring()
    assert line(PASSWORD, '"<secret sip/loc-ninh-vc>"') in first.added
    assert endpoint.box.held[PASSWORD] == Store().get(told().password).reveal()
    session = endpoint.session()
    session.show(ROOMOS.show)
    assert not endpoint.diff()
    assert session.sent == ["xConfiguration"]
    endpoint.box.reboot()
    endpoint.box.pass_time(endpoint.box.boot_s)
    assert not endpoint.diff()


def test_a_change_changes_only_that() -> None:
    endpoint = Endpoint()
    endpoint.bring()
    diff = endpoint.bring(changed(display="Phòng họp tầng hai", vlan=None))
    assert [one for (one,) in diff.added] == ['xConfiguration SIP DisplayName: "Phòng họp tầng hai"']
    assert len(diff.removed) == 1
    diff = endpoint.bring(changed(display="Phòng họp tầng hai", ntp=()))
    assert diff.added == (line("NetworkServices NTP Server 1 Address", '""'),)


def test_a_password_that_is_missing_or_anothers_is_set() -> None:
    endpoint = Endpoint()
    endpoint.bring()
    endpoint.box.held[PASSWORD] = ""
    assert endpoint.bring().added == (line(PASSWORD, '"<secret sip/loc-ninh-vc>"'),)
    endpoint.box.held |= {PASSWORD: "anothers", "SystemUnit Name": "Boardroom"}
    assert [one[0].split(": ")[0][15:] for one in endpoint.bring().added] == [PASSWORD, "SystemUnit Name"]
    assert endpoint.box.held[PASSWORD] == Store().get(told().password).reveal()


def test_the_name_that_vouches_for_the_password_is_typed_after_it() -> None:
    endpoint = Endpoint(f'*c xConfiguration {PASSWORD}: "anothers"\n')
    diff = endpoint.diff()
    sent = commands(diff.removed, diff.added)
    cut = next(index for index, one in enumerate(sent) if PASSWORD in one)
    session = endpoint.session()
    session.configure(sent[:cut])
    session.close()
    assert line(PASSWORD, '"<secret sip/loc-ninh-vc>"') in endpoint.diff().added


def well(endpoint: Endpoint) -> frozenset[str]:
    assert ROOMOS.health is not None
    return ROOMOS.health(endpoint.session().ask)


def test_a_changed_password_is_seen_by_the_registrar_only() -> None:
    endpoint = Endpoint()
    assert well(endpoint) == frozenset()
    endpoint.bring()
    assert well(endpoint) == {"sip registered"}  # it is being asked
    endpoint.box.pass_time(5)
    assert well(endpoint) == {"sip registered"}
    endpoint.box.registrar_takes = "another by now"
    assert not endpoint.diff()
    assert well(endpoint) == frozenset()


def test_no_registration_is_missed_where_the_plan_takes_the_registrar_away() -> None:
    endpoint = Endpoint()
    endpoint.bring()
    for intended, excused in ((changed(registrar=None), True), (changed(number="1006"), False)):
        found = {"roomos": Predicted(ROOMOS, endpoint.running(), endpoint.diff(intended))}
        assert taken_away(found)("sip registered") is excused


def history(seed: int) -> str:
    """500 settings of kinds that the plan has nothing to do with, as `xConfiguration` lists them."""
    chance = random.Random(seed)
    made: dict[str, Callable[[], str]] = {
        "Audio Input Microphone {n} Level": lambda: str(chance.randint(0, 70)),
        "Audio Input HDMI {n} Mode": lambda: chance.choice(("On", "Off")),
        "Video Input Connector {n} Name": lambda: f'"{chance.choice(("PC: left", "Máy tính", ""))}"',
        "Video Output Connector {n} MonitorRole": lambda: chance.choice(("Auto", "First", "Second")),
        "FacilityService Service {n} Number": lambda: f'"{chance.randint(100, 9999)}"',
        "Phonebook Server {n} URL": lambda: f'"https://10.0.1.{chance.randint(1, 250)}/phonebook"',
        "UserInterface Custom Field {n}": lambda: f'"{chance.choice(("OK", "ERROR", "(status=Error):"))}"',
        "Peripherals Profile Panel {n}": lambda: chance.choice(("NotSet", "1", "2")),
    }
    found: dict[str, str] = {}
    while len(found) < 500:
        path = chance.choice(list(made))
        found[path.format(n=chance.randint(1, 90))] = made[path]()
    found |= {
        "Conference FarEndControl Mode": "Off",
        "Time Zone": '"Asia/Ho_Chi_Minh"',
        "Audio DefaultVolume": "35",
    }
    return "".join(f"*c xConfiguration {path}: {value}\n" for path, value in found.items())


def foreign(box: RoomOs) -> list[str]:
    return [
        one
        for one in box.configuration().splitlines()
        if one[len("*c xConfiguration ") :].split(": ")[0] not in DEFAULTS
    ]


@pytest.mark.parametrize("seed", range(4))
def test_what_the_plan_does_not_own_stays_byte_by_byte(seed: int) -> None:
    endpoint = Endpoint(history(seed))
    before = foreign(endpoint.box)
    assert len(before) > 500
    assert "Conference FarEndControl Mode" in "".join(before)
    diff = endpoint.bring()
    assert foreign(endpoint.box) == before
    assert not endpoint.diff()
    endpoint.bring(changed(display="Khác"))
    endpoint.send(diff.added, diff.removed)
    assert foreign(endpoint.box) == before


@pytest.mark.parametrize(
    "wrong",
    [
        "xConfiguration SIP Proxy 5 Address: \"10.0.0.1\"",
        "xConfiguration SIP Prox 1 Address: \"10.0.0.1\"",
        "xConfiguration Network 1 QoS Diffserv Audio: 64",
        "xConfiguration Network 1 VLAN Voice VlanId: 0",
        "xConfiguration Conference Encryption Mode: Maybe",
        "xConfiguration SystemUnit Name: two words",
        "xConfiguration SystemUnit Name: \"" + "x" * 51 + "\"",
        "xConfiguration Video Input Connector 1 Name: \"PC\"",
        "xConfiguration Standby Delay: ten",
        "xCommand Nothing Such",
        "configure terminal",
    ],
)  # fmt: skip
def test_a_refused_line_is_noticed_and_nothing_after_it_is_sent(wrong: str) -> None:
    endpoint = Endpoint()
    before = endpoint.box.configuration()
    session = endpoint.session()
    with pytest.raises(Rejected):
        session.configure((wrong, line("SIP DisplayName", '"sent"')[0]))
    assert endpoint.box.configuration() == before


@pytest.mark.parametrize(
    "said",
    [
        '*r Configuration (status=Error):\n*r Configuration Reason: "No match"\n** end\n',
        "*r Result (status=ParameterError):\n** end\n",
        "** end\n\nERROR\n",
        "Command not recognized.\n",
    ],
)
def test_each_word_of_a_refusal_is_one_by_itself(said: str) -> None:
    assert [pattern for pattern in ROOMOS.errors if re.search(pattern, said, re.MULTILINE)]
    assert not any(re.search(pattern, "** end\n\nOK\n", re.MULTILINE) for pattern in ROOMOS.errors)


def test_a_value_that_reads_like_a_refusal_is_none() -> None:
    endpoint = Endpoint()
    endpoint.box.foreign["X Y"] = '"ERROR"'
    endpoint.box.held["SystemUnit Name"] = "(status=Error): ERROR"
    assert endpoint.diff()


def test_what_failed_is_typed_back() -> None:
    endpoint = Endpoint(
        '*c xConfiguration SIP Proxy 1 Address: "192.0.2.1"\n*c xConfiguration Standby Delay: 7\n'
    )
    before = endpoint.box.configuration()
    diff = endpoint.diff()
    endpoint.send(diff.removed, diff.added)
    assert endpoint.box.configuration() != before
    endpoint.send(diff.added, diff.removed)
    assert endpoint.box.configuration() == before


@pytest.mark.parametrize("count", [0, 1, 13, 14, 30, 47, 55])
def test_half_of_a_change_is_typed_back_too(count: int) -> None:
    endpoint = Endpoint(history(7))
    before = endpoint.box.configuration()
    diff = endpoint.diff()
    session = endpoint.session()
    session.configure(commands(diff.removed, diff.added)[:count])
    session.close()
    endpoint.send(diff.added, diff.removed)
    assert endpoint.box.configuration() == before


def test_a_setting_that_is_not_wanted_any_more_gets_the_factory_value() -> None:
    gone = (line("Standby Delay", "30"), line("SIP Proxy 1 Address", '"10.0.2.10"'))
    assert commands(gone, ()) == (
        'xConfiguration SIP Proxy 1 Address: ""',
        "xConfiguration Standby Delay: 10",
    )
    endpoint = Endpoint()
    endpoint.bring()
    endpoint.send(tuple(one for one in endpoint.intended if "Network 1 " not in one[0]), ())
    for path, value in endpoint.box.settings():
        assert path.startswith("Network 1 ") or value == SETTINGS[path].shown(SETTINGS[path].default), path


def test_what_could_cut_the_session_is_typed_last_in_both_directions() -> None:
    endpoint = Endpoint()
    diff = endpoint.diff()
    for sent in (commands(diff.removed[::-1], diff.added[::-1]), commands(diff.added, diff.removed)):
        paths = [one.removeprefix("xConfiguration ").split(": ")[0] for one in sent]
        assert paths == [path for path in DEFAULTS if path in paths]


def test_three_stars_are_never_typed() -> None:
    assert commands((), (line(PASSWORD, '"***"'),)) == ()
    endpoint = Endpoint(f'*c xConfiguration {PASSWORD}: "anothers"\n')
    diff = endpoint.bring()
    endpoint.send(diff.added, diff.removed)
    assert endpoint.box.held[PASSWORD] == Store().get(told().password).reveal()


CUTS = {
    "address": (line("Network 1 IPv4 Address", '"10.0.42.21"'), "management-path"),
    "mask": (line("Network 1 IPv4 Assignment", "DHCP"), "management-path"),
    "vlan": (line("Network 1 VLAN Voice Mode", "Manual"), "management-path"),
    "gateway": (line("Network 1 IPv4 Gateway", '""'), "management-path"),
    "sources": (line("Network 1 RemoteAccess Allow", '"192.0.2.0/24"'), "login"),
    "ssh": (line("NetworkServices SSH Mode", "Off"), "login"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_what_cuts_the_path_of_management_is_refused_by_name_and_would_cut_it(cut: str) -> None:
    endpoint = Endpoint()
    endpoint.bring()
    wrong, rule = CUTS[cut]
    path = wrong[0].split(": ")[0]
    intended = tuple(wrong if one[0].split(": ")[0] == path else one for one in endpoint.intended)
    diff = endpoint.diff(intended)
    management = Management(frozenset(), node().address, management_networks(province(), node()), "netadm")
    found = {"roomos": Predicted(ROOMOS, endpoint.running(), diff)}
    assert {name for name, _ in reasons(found, management)} == {rule}
    assert endpoint.box.answers(CONTROLLER)
    endpoint.send(diff.removed, diff.added)
    with pytest.raises(Unreachable):
        endpoint.session()


def test_the_first_address_of_the_plan_is_no_cut() -> None:
    endpoint = Endpoint()
    found = {"roomos": Predicted(ROOMOS, endpoint.running(), endpoint.diff())}
    management = Management(frozenset(), node().address, management_networks(province(), node()), "netadm")
    assert reasons(found, management) == []
    endpoint.bring()


@pytest.mark.parametrize(
    "text", ['a"', "a\nxConfiguration NetworkServices SSH Mode: Off", "a\\", "a\x1b[2J", "a;b"]
)
def test_a_hostile_text_cannot_become_a_line(text: str) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        replace(told(), display=text)


@pytest.mark.parametrize("word", ["OK", "ERROR", "Command not recognized."])
@pytest.mark.parametrize(
    "before", ["", "xConfiguration\n", '*c xConfiguration SystemUnit Name: "OK"\n** end\n\n']
)
def test_an_answer_ends_with_its_word_however_late_its_empty_lines_come(word: str, before: str) -> None:
    pattern = re.compile(ROOMOS.prompt("any"))
    for after in ("\n", "\n\n", "\n\n\n"):
        text = before + word + after
        hit = _last(pattern, text) if before else pattern.search(text)
        assert hit is not None, repr(text)
        assert hit.end() == len(text)
    for text in (before, before + word, before + word + "\n*r Result", before + "x" + word + "\n"):
        assert _last(pattern, text) is None, repr(text)


def test_an_endpoint_without_a_registrar_has_no_telephony() -> None:
    found = changed(registrar=None, syslog=(), vlan=30, address=IPv4Interface("10.0.42.20/24"))
    assert line("NetworkServices SIP Mode", "Off") in found
    assert line("SIP Proxy 1 Address", '""') in found
    assert line("Logging External Mode", "Off") in found
    assert line("Network 1 VLAN Voice VlanId", "30") in found
    assert ROOMOS.vlans(line("Network 1 VLAN Voice VlanId", "30")) == {30}


def test_a_debian_endpoint_is_told_by_pyinfra() -> None:
    with pytest.raises(ValueError, match="no endpoint"):
        endpoint_wanted(province(), province().nodes["loc-ninh-vc"])


def test_the_simulated_device_is_looked_around_in_as_a_real_one() -> None:
    endpoint = Endpoint()
    endpoint.bring()
    session = endpoint.session()
    assert endpoint.box.log_in("netadm") is not None
    assert session.show("xconfig standby") == (
        "*c xConfiguration Standby Control: On\n*c xConfiguration Standby Delay: 10\n** end\n\nOK\n\n"
    )
    assert '*s Network 1 IPv4 Address: "10.0.42.20"\n' in session.show("xStatus Network 1")
    assert "*? xConfiguration Standby Delay: <1..480>\n" in session.show("xConfiguration Standby ?")
    assert 'User 1 Username: "netadm"' in session.show("xCommand UserManagement User List")
    assert "*s SystemUnit Software Version:" in session.show("xstatus systemunit")
    assert '"***"' in session.show("xConfiguration SIP Authentication Password")
    session.show("xCommand SystemUnit Boot")
    endpoint.box.pass_time(5)
    with pytest.raises(Unreachable):
        endpoint.session()
    endpoint.box.pass_time(endpoint.box.boot_s)
    assert not endpoint.diff()
