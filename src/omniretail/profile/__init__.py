"""The user profile: tags, segments, probing, propensities, lifetime value."""
