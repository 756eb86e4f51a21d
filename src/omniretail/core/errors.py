"""Errors that a user can mend."""


class DataError(ValueError):
    """The data cannot be used as it is; the message names the place and what to do about it."""
