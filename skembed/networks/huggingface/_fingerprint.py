"""A short name for the content of a model folder."""

from skembed.networks._fingerprint import fingerprint_files
from skembed.networks.huggingface._source import ModelFolder


def fingerprint(folder: ModelFolder) -> str:
    """Digest the content of a model's weights, configuration and tokenizer files.

    What else the folder holds does not matter; see `fingerprint_files`.

    Parameters
    ----------
    folder : ModelFolder

    Returns
    -------
    digest : str
        32 hexadecimal digits.

    Raises
    ------
    FileNotFoundError
        If a file has gone.
    """
    return fingerprint_files({name: folder.path / name for name in folder.files})
