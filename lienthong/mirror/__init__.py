"""Packages for the closed side: what systems need as one signed snapshot, and the way to who serves it."""
