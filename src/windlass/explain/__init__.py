"""Why a row was answered so: what parts of it add, exactly or by being taken away."""
