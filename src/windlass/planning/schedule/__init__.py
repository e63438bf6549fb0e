"""Which items are worth doing within budget, hours and deadline, and what they are worth."""
