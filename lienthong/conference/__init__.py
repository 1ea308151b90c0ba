"""Endpoints of the conference: what the checks and the rehearsal say to them and count."""
