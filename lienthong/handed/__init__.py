"""Roles handed over by Central: believed by signature and pinned hash, judged before anything of them runs.

A role is a folder `roles/<name>/` with `SHA256SUMS` and its signature. Who may sign stands in
`inventory/central.signers`, what was accepted in `inventory/roles.lock`, and for whom it runs, with which
values, at the hosts of the inventory (`handed_over`). What runs is a copy of what was judged.
"""
