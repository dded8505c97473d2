"""Rewrite the outputs and bound numbers of pages to what their code gives: all pages, or those named."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nnfp.book.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["check", "--update", *sys.argv[1:]]))
