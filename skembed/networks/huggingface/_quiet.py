"""Keep transformers from showing what nobody asked for."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

# What is made quiet is so for the whole process, and to be restored by who made it so.
_lock = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Let transformers show no progress and log no more than errors meanwhile."""
    noise: Any = import_module("transformers.utils.logging")
    hub: Any = import_module("huggingface_hub.utils")
    with _lock:
        level, shows = noise.get_verbosity(), noise.is_progress_bar_enabled()
        hub_shows = not hub.are_progress_bars_disabled()
        noise.set_verbosity(max(level, logging.ERROR))
        noise.disable_progress_bar()
        try:
            yield
        finally:
            noise.set_verbosity(level)
            if shows:
                noise.enable_progress_bar()
                if not hub_shows:
                    hub.disable_progress_bars()
