"""What a frozen embedding of customers knows: small models ask it who they are and what they do next."""
