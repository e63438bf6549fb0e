"""Masks from networks that give each pixel of a tile its share of each class."""
