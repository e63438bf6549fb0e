"""English and Chinese: which one is spoken, the catalogue of both, and a text in the other one."""
