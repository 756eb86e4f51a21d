"""Search of hyper-parameters: Optuna asks for a trial, a task evaluates it on validation, Optuna is told the result."""
