"""One of a set of names, with a calibrated probability."""
