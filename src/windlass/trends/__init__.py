"""What a stream of texts is about, how it changes, and when to look."""
