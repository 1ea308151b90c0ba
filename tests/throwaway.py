"""A service that needs a package beyond the base, and the hosts that run it: alone, and beside others."""

BOX, SERVER = "loc-ninh-box", "loc-ninh-srv"
SERVICE = '''"""A service that is thrown away."""
from lienthong.model.site import Model
from lienthong.services import Contribution, ServiceContext

NAME = "throwaway"
PACKAGES = ("memcached",)


class Params(Model):
    """Nothing to say."""


def contribute(ctx: ServiceContext) -> Contribution:
    """Nothing."""
    return Contribution()
'''
