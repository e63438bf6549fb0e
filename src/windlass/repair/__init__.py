"""Programs mended by their tests."""
