"""Bundles: what a person carries from one side of a site to the other, signed, encrypted, in a chain.

Nothing else may cross. The exporting side signs (ssh-keygen) and encrypts to the importing side (age), so it
holds no key that opens what it made; the importing side takes each number of a stream once, in order.
"""
