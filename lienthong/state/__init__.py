"""The tool's own state, sealed to two officers or more, so that another one can go on in a new checkout."""
