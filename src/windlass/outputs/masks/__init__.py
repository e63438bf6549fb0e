"""Things in a picture, each with its class and the pixels that it covers."""
