"""Endpoints of the conference: what the checks and `lienthong call` say to them and measure."""
