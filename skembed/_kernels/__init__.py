"""What the kernels of all stages share: compilation, random numbers, vectors."""
