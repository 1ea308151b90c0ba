"""`python -m lienthong.cli` is `lienthong`."""

from lienthong.cli import main

main()
