"""The same inventory in the shape of other tools. Pure: plan to plain values; no secret passes here."""
