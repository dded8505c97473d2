"""Serve the book with mkdocs on the wished port, or on the next one that is free."""

import socket
import subprocess
import sys
from pathlib import Path

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent


def free_port(wished: int) -> int:
    """The first port from `wished` on that nobody listens on."""
    for port in range(wished, min(wished + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    sys.exit(f"error: no free port from {wished} to {wished + 99}; try make serve PORT=9000")


def main() -> int:
    wished = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    port = free_port(wished)
    if port != wished:
        print(f"port {wished} is in use, taking {port}")
    print(f"building the book; then it is at http://{HOST}:{port}/ (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "mkdocs", "serve", "--livereload", "--dev-addr", f"{HOST}:{port}"]
    try:
        return subprocess.run(command, cwd=ROOT).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
