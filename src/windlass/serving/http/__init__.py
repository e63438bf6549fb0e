"""Where a request is admitted: middleware, keys, rates, workers, the server itself."""
