"""The district in a box: real Debian systems in namespaces of this machine, wired as the plan says."""
