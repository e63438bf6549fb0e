"""The roadmap from chosen items: gaps, milestones, risks, figures."""
