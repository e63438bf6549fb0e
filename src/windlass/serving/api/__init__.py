"""The routes: what a client asks, in our form and in those of others."""
