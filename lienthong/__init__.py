"""Liên Thông: one typed inventory that provisions, audits and proves the networks of a province."""

__version__ = "0.1.0"
