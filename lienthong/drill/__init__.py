"""Campaigns of faults: the tool is spoiled at random moments, and the devices say whether it kept its
word."""
