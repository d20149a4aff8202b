"""The entry: answers --version before anything is imported, and hands on the rest."""

import sys

TELLING = {
    ("--version",): "pumpctl {}\n",
    ("--version", "--json"): """{{"schema": "pumpctl.version/1", "ok": true, "pump": null, \
"data": {{"version": "{}"}}, "warnings": []}}\n""",
}
"""What stands for the version, by the command line; a test holds it against cli/report."""
TELLING["--json", "--version"] = TELLING["--version", "--json"]


def main() -> int:
    """Run pumpctl; the exit code."""
    form = TELLING.get(tuple(sys.argv[1:]))
    if form is not None and sys.stdout is not None:
        from pumpctl import __version__

        try:
            sys.stdout.write(form.format(__version__))
            sys.stdout.flush()
            return 0
        except OSError:
            pass  # a full disk, or nobody who reads: told below, as with any command
    import gc

    # Nothing becomes garbage while modules load; looking for it took a tenth of the start.
    gc.set_threshold(200_000, 20, 20)
    from pumpctl.cli.main import run

    code = run(sys.argv[1:])
    _end_at_once(code)
    return code


def _end_at_once(code: int) -> None:
    """End here, if nothing is left to wait for.

    To take a program apart, object by object, took a twentieth of a `status`. What must
    be kept has been closed by whoever opened it. Who registered for the end is called;
    where another thread still runs, the ordinary end waits for it.
    """
    import atexit
    import os

    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does before the same call
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            return  # the ordinary end says what is wrong with it
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
