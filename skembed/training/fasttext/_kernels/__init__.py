"""The compiled parts of fastText: what words are made of, and rounds of spans."""
