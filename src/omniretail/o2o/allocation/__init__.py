"""Who gets which offer when budgets are limited."""
