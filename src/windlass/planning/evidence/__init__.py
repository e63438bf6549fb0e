"""Everything measured that there is, and the small trainings that measure more."""
