"""The entry: answers --version before anything is imported, and hands on the rest."""

import sys


def main() -> int:
    """Run pumpctl; the exit code."""
    if sys.argv[1:] == ["--version"]:
        from pumpctl import __version__

        sys.stdout.write(f"pumpctl {__version__}\n")
        return 0
    import gc

    from pumpctl.cli.main import run

    code = run(sys.argv[1:])
    gc.freeze()  # the process ends: there is nothing left to look for, and looking takes time
    return code


if __name__ == "__main__":
    sys.exit(main())
