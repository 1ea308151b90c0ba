#!/usr/bin/python3
"""Writes alerts into the journal. Written by Liên Thông as /usr/local/sbin/lienthong-alerts.

    lienthong-alerts PORT

Alertmanager posts to it on loopback; each alert is one event: what it is, since when, of what, and why. From
the journal it goes where all events go. Standard library only.
"""

from __future__ import annotations

import json
import sys
import syslog
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

LARGEST = 1 << 20
SEVERITY = {"high": syslog.LOG_ALERT, "medium": syslog.LOG_WARNING}


def event(alert: dict[str, Any]) -> tuple[int, str]:
    """Severity and text of one alert of Alertmanager's webhook, version 4."""
    labels = {str(k): str(v) for k, v in alert.get("labels", {}).items()}
    state = str(alert.get("status", ""))
    severity = SEVERITY.get(labels.pop("severity", ""), syslog.LOG_NOTICE)
    name = labels.pop("alertname", "?")
    since = alert.get("endsAt" if state == "resolved" else "startsAt", "")
    told = " ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    summary = str(alert.get("annotations", {}).get("summary", ""))
    said = f"{state} {name} since {since}: {summary} [{told}]"
    said = "".join(c if c.isprintable() else "?" for c in said)[:2000]
    return (syslog.LOG_NOTICE if state == "resolved" else severity), said


class Alerts(BaseHTTPRequestHandler):
    """What Alertmanager posts."""

    def do_POST(self) -> None:
        """An answer other than 200 makes Alertmanager try again."""
        try:
            length = int(self.headers.get("Content-Length", ""))
            if not 0 < length <= LARGEST:
                raise ValueError("length")
            for alert in json.loads(self.rfile.read(length))["alerts"]:
                syslog.syslog(*event(alert))
        except (ValueError, KeyError, TypeError, AttributeError):
            self.send_error(400)
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The events are the log."""


if __name__ == "__main__":
    syslog.openlog("lienthong-alert", 0, syslog.LOG_DAEMON)
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Alerts).serve_forever()
