"""What to do next: from what was measured to a roadmap with gains, costs and days."""
