"""The release as a wheel, an image, a chart or a unit, with measured limits."""
