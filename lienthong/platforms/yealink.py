"""Yealink endpoints: nobody logs in, they fetch their own file while they are let (`lienthong ztp`)."""

from lienthong.platforms import Hardware, Platform

_FILES = "https://support.yealink.com (Auto Provisioning Guide, <MAC>.cfg)"

PLATFORM = Platform(
    name="yealink",
    dialects=(),
    undo=None,
    capabilities=frozenset({"conference", "ztp"}),
    models={
        name: Hardware(source=_FILES)
        for name in ("Yealink MeetingEye 600", "Yealink MeetingEye 400", "Yealink VC", "Yealink CP9")
    },
)
