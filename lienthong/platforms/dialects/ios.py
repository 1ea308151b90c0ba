"""Cisco IOS and IOS-XE: lines act at once; what is shown otherwise than typed is in `ios_words`.

Secrets: keys of OSPF and of AAA servers are shown as typed and compared, unless `service
password-encryption` is on; accounts are shown as hashes, so a changed password is *not* noticed
(`ios_words.Sealed`). Users of SNMP are in no configuration: the plan's group bears the user's name, and where
the group is there the user is taken for there too; whoever deletes or changes one by hand is not noticed.
The key of an account is stated when it is RSA, which is what all these devices know, as the hash that the
device shows; a key of another kind stays what day 0 made it. Order of entries in a list of the plan means
nothing, since all but the last permit; one that is added stands behind the others, not behind its remark.
What is the plan's to change says `ios_scope`.
"""

from __future__ import annotations

from lienthong.platforms import Dialect
from lienthong.platforms.dialects.ios_lines import intended, parse
from lienthong.platforms.dialects.ios_reach import interfaces, reach, vlans
from lienthong.platforms.dialects.ios_scope import owns
from lienthong.platforms.dialects.ios_type import commands

#: Most refusals begin with `%`, and so do messages of the log and some advice.
ERRORS = (
    r"^ *%(?![A-Z0-9_]+-\d-|\s*[Ww]arning|\s*Portfast has been|\s*No Rollback|\s*Access VLAN does not exist"
    r"|\s*Generating )\s*\S.*",
    r"^Command rejected: .*", r"^ERROR: .*", r"^OSPF: Key .*", r"^Command authorization failed.*",
    r"^Please create RSA keys.*", r"^Bad (?:mask|VLAN list) .*", r"^Rollback failed.*",
    r"^startup-config file open failed.*",
)  # fmt: skip

IOS = Dialect(
    name="ios",
    device_type="cisco_ios",
    account="network",
    show="show running-config",
    errors=ERRORS,
    save="write memory",
    saved="[OK]",
    parse=parse,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    intended=intended,
    reach=reach,
    answers=(
        (r"\[confirm\] ?\Z", ""),
        (r"\[no\]: ?\Z", "yes"),
        (r"\[yes/no\]: ?\Z", "yes"),
    ),
)
