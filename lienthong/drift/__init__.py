"""What became of devices since: against their intent, and against what was fetched from them last.

Nothing is changed on a device. What is fetched is kept without any secret, in a Git repository of its own.
"""
