"""`python -m lienthong.lab`."""

from lienthong.lab.commands import main

main()
