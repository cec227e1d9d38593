"""Files of others that are too many, or not ours, to be kept here.

They lie beside the checkout, or where the environment variable SKEMBED_SHARED says.
What needs them goes beyond what is tested everywhere.
"""

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared"
SHARED = Path(os.environ.get("SKEMBED_SHARED", _BESIDE))
