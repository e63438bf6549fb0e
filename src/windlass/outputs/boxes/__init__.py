"""Things in a picture, each with its class and its box."""
