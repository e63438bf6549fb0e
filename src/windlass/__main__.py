"""Where the command begins: light, so that Ctrl-C in the first half second, while imports run, is no traceback."""

import sys


def main() -> None:
    """Imports the command line and runs it."""
    try:
        from windlass.cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
