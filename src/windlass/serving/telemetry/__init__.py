"""What is counted and told: metrics, access log, traces, profiles."""
