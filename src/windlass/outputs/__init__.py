"""What an answer of a kind lives through, one folder an output. Only here and in kinds is asked which kind it is."""
