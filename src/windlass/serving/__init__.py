"""The service. One process or several, one release in its seat; below it the parts of a request's way."""
