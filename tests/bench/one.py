"""`python -m tests.bench.one NAME OUT [--quick]`: one benchmark in this process; its figures go to the file OUT."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.registry import NAMES, benchmark
from tests.bench.rows import Benchmark, Figure, Scale


def figures_of(one: Benchmark, scale: Scale) -> tuple[Figure, ...]:
    """Measure; raises ValueError when it says other things than it promised."""
    figures = one.measure(scale)
    names = tuple(figure.name for figure in figures)
    if names != one.rows:
        raise ValueError(f"{one.name} promised {one.rows} and measured {names}")
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write down."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.one", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args(arguments)
    asked.out.write_bytes(msgspec.json.encode(figures_of(benchmark(asked.name), Scale(asked.quick))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
