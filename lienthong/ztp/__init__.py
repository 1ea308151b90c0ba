"""Zero-touch provisioning: endpoints fetch their configuration, once, in a window that an officer opens.

The window is opened on a Debian system of the site that has a leg in the conference segment, and closes by
itself. `docs/decisions.md` says what has to be typed on an endpoint before, and why.
"""
