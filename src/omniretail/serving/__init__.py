"""What a service runs: answers from a model's files, without what training needs."""
