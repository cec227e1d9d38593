"""Run all benchmarks, one after the other, and write their tables to ``results/``.

python -m benchmarks
"""

from importlib import import_module
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("bench_*.py")):
    import_module(f"benchmarks.{path.stem}").main()
