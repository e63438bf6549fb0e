"""Ready products, one folder each: rows, windlass.yaml, a README."""
