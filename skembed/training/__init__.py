"""Ids and counts to weight matrices: arrays in, arrays out.

One folder per algorithm: ``__init__`` is its interface, ``*_kernels`` its compiled CPU
core, ``_torch`` its core for GPUs.
"""
