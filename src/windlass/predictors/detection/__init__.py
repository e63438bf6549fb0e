"""What finds things in pictures: from pixels to boxes in the pixels of the whole, upright picture."""
