"""One file a claim: `python -m benchmarks.NAME [--small]` measures it and prints what falls short."""
