"""What learns to find things in pictures."""
