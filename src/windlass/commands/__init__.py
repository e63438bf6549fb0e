"""One file a group of commands; `cli.py` joins them. No logic of the product here."""
