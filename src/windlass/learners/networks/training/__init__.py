"""The gradient loop: its plan of steps, what one step does, checkpoints, and what is measured before the first."""
