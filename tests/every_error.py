"""All errors that Paidshare raises, in whatever room they are defined."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import paidshare
from paidshare.errors import PaidshareError

for _module in pkgutil.walk_packages(paidshare.__path__, "paidshare."):
    import_module(_module.name)


def _under(made: type[PaidshareError]) -> Iterator[type[PaidshareError]]:
    yield made
    for one in made.__subclasses__():
        yield from _under(one)


EVERY = tuple(made for made in _under(PaidshareError) if made.__module__.startswith("paidshare."))
