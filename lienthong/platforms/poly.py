"""Poly endpoints with UC Software: they fetch a master file and their own file (`lienthong ztp`)."""

from lienthong.platforms import Hardware, Platform

_FILES = "https://docs.poly.com (UC Software Administrator Guide, central provisioning)"

PLATFORM = Platform(
    name="poly",
    dialects=(),
    undo=None,
    capabilities=frozenset({"conference", "ztp"}),
    models={name: Hardware(source=_FILES) for name in ("Poly Trio", "Poly VVX", "Poly CCX")},
)
