"""Simulated devices: SSH servers that behave as gear does whose software nobody can ship.

They switch no packet.
"""
