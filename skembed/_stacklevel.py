"""Where a warning is to point to."""

import inspect


def stacklevel_outside() -> int:
    """Say how many frames above its caller the code is that called skembed.

    Returns
    -------
    stacklevel : int
        For ``warnings.warn``.
    """
    frame, n_frames = inspect.currentframe(), 0
    while frame and frame.f_globals.get("__name__", "").startswith("skembed."):
        frame, n_frames = frame.f_back, n_frames + 1
    return n_frames
