"""Splits: where knowledge ends. Each gives one ``Cutoff`` for the stage that is evaluated."""
