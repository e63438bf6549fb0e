"""The service. One process or several, one release loaded; below it the parts of a request's way."""
