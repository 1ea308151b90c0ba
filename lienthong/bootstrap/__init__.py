"""Day 0: what a factory-new system is given at its console, so that it can be reached and managed."""
