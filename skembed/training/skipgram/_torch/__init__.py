"""The torch core of skip-gram with negative sampling, for GPUs."""
