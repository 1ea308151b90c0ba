"""Histories of Cisco devices: what some years of other people's work leave in a configuration."""

from __future__ import annotations

import random
from collections.abc import Callable

RSA = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC2ysFg1qKZC9yLtPfaeNNEjU1iCzzuwIQVdZPW7y9p2Uug2ZOl+4runPVUZN"
    "yZcul+dgInCgJngzIk01nD4INhiR7dEIDsTxH9wGRScDz8+Zb5fN0lCVDfhkhtHXicCG35cjAlb2Cyk9ykqtAFwV0P"
    "udyfTjckaTkWaZ2JC8YidX7qH7Y8xsRvDm06hN94Wi6yzkLsSiIhd8h4QzCApL5Pv9pNSjKMzDVqQMrGe4GaRzv8uW"
    "bkwbPfjaKy79XPYd9FCeBXyafuG1NVL3cIyhiSfXgkE0CEt0+7ZDIENtPw5obo6IhyGq4sEWCoBwauJKELO4gKI7r+"
    "fpVB3biwOtsZ"
    " an officer"
)
KINDS: tuple[Callable[[random.Random, int], list[str]], ...] = (
    lambda r, n: [f"ip access-list extended KETOAN{n}",
                  *(f" {i} permit tcp 192.168.{r.randrange(256)}.0 0.0.0.255 any eq www" for i in range(4)),
                  " 50 deny   ip any any log"],
    lambda r, n: [f"vlan {1200 + n}", f" name cu-{r.randrange(10**6)}"],
    lambda _, n: [f"interface Loopback{10 + n}", f" description kiem thu {n}",
                  f" ip address 192.0.2.{n % 250 + 1} 255.255.255.255"],
    lambda _, n: [f"class-map match-any THOAI{n}", f"  match dscp {n % 64}"],
    lambda _, n: [f"policy-map UUTIEN{n}", f" class THOAI{n}", f"  priority percent {n % 30 + 1}"],
    lambda r, n: [f"ip route 172.31.{n % 256}.0 255.255.255.0 10.9.9.{r.randrange(1, 250)} name CU{n}"],
    lambda _, n: [f"vrf definition DV{n}", f" rd 65000:{n}", " !", " address-family ipv4",
                  " exit-address-family"],
    lambda r, n: [f"event manager applet TU{n}", f" event timer watchdog time {r.randrange(60, 600)}",
                  " action 1.0 cli command \"enable\""],
    lambda r, n: [f"snmp-server community bimat{n}{r.randrange(10**4)} RO"],
    lambda r, n: [f"username nhanvien{n} privilege 5 secret 9 $9$abc{r.randrange(10**6)}$def"],
    lambda r, n: [f"crypto pki certificate chain CU{n}", " certificate ca 01",
                  *(f"  {r.randrange(16**8):08X} {r.randrange(16**8):08X} " for _ in range(4)), "  \tquit"],
    lambda _, n: [f"banner exec ^C\nhostname gia-mao-{n}\n interface Vlan40\n  shutdown\n^C"],
    lambda _, n: [f"router ospf {900 + n}", f" network 172.30.{n % 256}.0 0.0.0.255 area 9", " area 9 stub"],
    lambda _, n: [f"line vty {16 + n} {16 + n}", " exec-timeout 3 0", " transport input none"],
)  # fmt: skip


def foreign(seed: int) -> list[list[str]]:
    """500 lines and more that no plan has, of several kinds, in blocks."""
    chooser = random.Random(seed)
    blocks: list[list[str]] = []
    while sum(map(len, blocks)) < 500:
        kind = chooser.choice(KINDS)
        block = kind(chooser, len(blocks) + 1)
        if block[0].startswith(("banner", "line vty")) and any(block[0][:8] == one[0][:8] for one in blocks):
            continue  # there is one of it
        blocks.append(block)
    return blocks


def with_history(text: str, blocks: list[list[str]]) -> str:
    """A configuration with foreign sections before its interfaces."""
    head, _, tail = text.partition("!\ninterface ")
    return "\n".join(
        [head.rstrip("\n"), *(line for block in blocks for line in ["!", *block]), f"!\ninterface {tail}"]
    )


def survivors(text: str, blocks: list[list[str]]) -> list[list[str]]:
    """Blocks that stand in a configuration, byte by byte and whole, in the order they stand in."""
    framed = f"\n{text}"
    found = [(framed.find("\n" + "\n".join(block) + "\n!"), block) for block in blocks]
    return [block for at, block in sorted(found, key=lambda one: one[0]) if at >= 0]
