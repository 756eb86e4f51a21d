"""Who acts because of the offer: rows of past campaigns with a random control group, and rankings for the next one."""
