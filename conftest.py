"""Run the ``>>>`` lines of the README and of the guide as tests."""

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

pytest_collect_file = Sybil(
    [PythonCodeBlockParser()], patterns=["README.md", "docs/*.md", "docs/*/*.md"]
).pytest()

# They have no examples, and Triton is there under Linux only.
collect_ignore_glob = ["skembed/*/_triton.py"]
