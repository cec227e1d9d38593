"""Text that comes with the package, to try things on without a download."""

from skembed.datasets._textbooks import load_textbooks

__all__ = ["load_textbooks"]
