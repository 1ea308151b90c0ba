"""An alert of Alertmanager becomes one event; what is no alert is refused and not logged."""

from __future__ import annotations

import importlib.util
import json
import syslog
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "templates/hosts/monitoring/alerts.py"
ALERT = {
    "status": "firing",
    "startsAt": "2026-01-01T00:00:00Z",
    "labels": {"alertname": "HostDown", "severity": "high", "node": "loc-ninh-srv", "site": "loc-ninh"},
    "annotations": {"summary": "loc-ninh-srv does not answer"},
}


@pytest.fixture(scope="module")
def alerts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("alerts", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def logged(
    alerts: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Where it listens, and what it has logged."""
    found: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "syslog", lambda *event: found.append(event))
    server = alerts.HTTPServer(("127.0.0.1", 0), alerts.Alerts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", found
    server.shutdown()
    server.server_close()


def post(url: str, body: bytes) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_each_alert_is_one_event(logged: tuple[str, list[tuple[int, str]]]) -> None:
    url, found = logged
    over = {**ALERT, "status": "resolved", "endsAt": "2026-01-01T00:05:00Z"}
    assert post(url, json.dumps({"alerts": [ALERT, over]}).encode()) == 200
    labels = "[node=loc-ninh-srv site=loc-ninh]"
    assert found == [
        (
            syslog.LOG_ALERT,
            f"firing HostDown since 2026-01-01T00:00:00Z: loc-ninh-srv does not answer {labels}",
        ),
        (
            syslog.LOG_NOTICE,
            f"resolved HostDown since 2026-01-01T00:05:00Z: loc-ninh-srv does not answer {labels}",
        ),
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"alerts": [1]}', b"x" * (1 << 20) + b"x"])
def test_what_is_no_alert_is_refused(logged: tuple[str, list[tuple[int, str]]], body: bytes) -> None:
    url, found = logged
    try:
        assert post(url, body) == 400
    except urllib.error.URLError:
        assert len(body) > 1 << 20, "hung up while too much was still coming"
    assert found == []


def test_an_event_is_one_line(alerts: ModuleType) -> None:
    hostile: dict[str, Any] = {**ALERT, "annotations": {"summary": "two\nlines\x1b[2J"}}
    assert alerts.event(hostile)[1].startswith("firing HostDown since 2026-01-01T00:00:00Z: two?lines?[2J [")
