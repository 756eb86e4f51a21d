"""Errors that a user can mend: commands show them as one sentence, all others with their traceback."""


class DataError(ValueError):
    """The data cannot be used as it is; the message names the place and what to do about it."""


class SettingsError(ValueError):
    """A setting is refused, by itself, beside another one or by the data; the message names the setting."""


class MissingError(SettingsError, LookupError):
    """A run, a model or a version that a setting names is not there."""


class LeakError(Exception):
    """A view depends on events after its cutoff; the message names the views."""


USER_ERRORS = (DataError, SettingsError, PermissionError)
"""What a user can mend."""
