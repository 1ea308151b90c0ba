"""How a device's command line is reached. A session is one login; what comes back is data, never trusted."""

from lienthong.platforms.undo import Rejected, Session

__all__ = ["Rejected", "Session"]
