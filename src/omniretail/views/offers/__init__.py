"""One row per mailed offer, with features known when it was sent."""
