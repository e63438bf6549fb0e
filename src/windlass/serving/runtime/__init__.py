"""A loaded release with its queues: replica, batches, costs, canaries, hot swap."""
