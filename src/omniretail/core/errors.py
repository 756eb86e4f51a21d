"""What goes wrong in a way that its reader can mend."""


class DataError(ValueError):
    """The data cannot be used as it is; the message names the place and the way out."""
