"""How the service does: windows of answers against the release's reference, alarms, who is told."""
