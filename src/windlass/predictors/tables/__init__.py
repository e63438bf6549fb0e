"""Linear models and trees."""
