"""Start a chapter: python scripts/new_chapter.py STEM "Title" writes page, module, test and figure."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nnfp.book.stubs import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
