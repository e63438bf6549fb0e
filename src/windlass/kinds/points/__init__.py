"""Series as points: how they are read, what sums them up, and what may be remembered of them."""
