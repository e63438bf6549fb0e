"""Where rows come from: readers, guesses, refusals. What a file holds never ends in a traceback."""
