"""Views: arrays that models read, each a function of the events before the cutoff and nothing else."""
