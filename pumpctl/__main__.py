"""The entry: answers --version before anything is imported, and hands on the rest."""

import sys


def main() -> int:
    """Run pumpctl; the exit code."""
    if sys.argv[1:] == ["--version"]:
        from pumpctl import __version__

        sys.stdout.write(f"pumpctl {__version__}\n")
        return 0
    from pumpctl.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
