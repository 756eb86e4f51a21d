"""Who acts because of the treatment: models of the difference that it makes."""
