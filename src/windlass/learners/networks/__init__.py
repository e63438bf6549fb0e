"""The one gradient loop, its batches, checkpoints and export, and the networks that it trains."""
