"""Old place of ``omniretail.core.checks``."""

from omniretail.core.checks import above, at_least, between, one_of, require

__all__ = ["above", "at_least", "between", "one_of", "require"]
