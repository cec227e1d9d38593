"""Models on the Hugging Face hub: from its cache on this machine, else downloaded."""

import os
from collections.abc import Iterator
from pathlib import Path

_TRUE = {"1", "ON", "YES", "TRUE"}


def snapshots(
    name: str,
    revision: str | None,
    patterns: list[list[str]],
    *,
    local_files_only: bool,
) -> Iterator[Path]:
    """Give the folder of a hub model, and when it does not do, the next that may.

    First is what the cache holds; then, unless offline, the folder after downloading
    the files of each list of patterns; last, what the cache holds though it is known
    that files are missing.

    Parameters
    ----------
    name : str
        The hub id.
    revision : str or None
        Branch, tag or commit; None for the branch ``main``.
    patterns : list of list of str
        The files to download, as shell patterns, with more in each further list.
    local_files_only : bool
        Whether to leave the network alone.

    Yields
    ------
    folder : Path
        Its name is the commit.

    Raises
    ------
    FileNotFoundError
        If there is nothing more to try.
    """
    cached, is_whole = _in_cache(name, revision, patterns[0])
    if cached is not None and is_whole:
        yield cached
    if local_files_only or _is_offline():
        reason = "the network was not tried, as HF_HUB_OFFLINE or local_files_only asks"
    else:
        reason = "what the hub sent lacks files"
        for wanted in patterns:
            try:
                folder = _download(name, revision, wanted)
            # Libraries of several versions raise whatever the network did to them.
            except Exception as error:  # noqa: BLE001
                reason = f"the hub gave {_shortened(error)}"
                break
            yield folder
    if cached is not None and not is_whole:
        yield cached
    raise FileNotFoundError(_explain(name, revision, cached, reason))


def _in_cache(
    name: str, revision: str | None, patterns: list[str]
) -> tuple[Path | None, bool]:
    """Return the folder of a model in the cache, and whether it seems complete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            name, revision=revision, allow_patterns=patterns, local_files_only=True
        )
    except LocalEntryNotFoundError as error:
        # Only newer versions know that a folder is incomplete, and where it is.
        partial = getattr(error, "snapshot_path", None)
        return (None if partial is None else Path(partial)), False
    return Path(folder), True


def _download(name: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))


def _is_offline() -> bool:
    """Whether the hub is not to be asked; the variable counts even if set just now."""
    from huggingface_hub import constants

    variable = os.environ.get("HF_HUB_OFFLINE", "")
    return bool(constants.HF_HUB_OFFLINE) or variable.upper() in _TRUE


def _shortened(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]:.200}" if lines else type(error).__name__


def _explain(name: str, revision: str | None, cached: Path | None, reason: str) -> str:
    from huggingface_hub import constants

    version = "" if revision is None else f" (revision {revision!r})"
    state = "lacks files" if cached else "is not there"
    return (
        f"The model {name!r}{version} cannot be found: there is no folder "
        f"{Path(name).absolute()}; in the cache {constants.HF_HUB_CACHE} it {state}; "
        f"{reason}. Check the name, download it where there is a network (`hf download "
        f"{name}`), unset HF_HUB_OFFLINE, or give the path of a folder."
    )
