"""What distance and channel do to customers, as few numbers with an error each."""
