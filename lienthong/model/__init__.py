"""Frozen types only: what an inventory says, what a plan intends, what a check found."""
