"""One row per mailed offer, with features as of the time of sending."""
