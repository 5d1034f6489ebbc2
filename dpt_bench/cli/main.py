"""The entry point: finds the commands, runs one, and shows every error as one readable block."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import sys
import textwrap
import traceback
from typing import Annotated

import typer

from dpt_bench import cli
from dpt_bench.core.errors import DptBenchError

app = typer.Typer(
    name="dpt-bench",
    help="Depth training and zero-shot evaluation: raw datasets -> shards -> training -> tables -> leaderboard.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from dpt_bench.core.provenance import package_version

        typer.echo(package_version())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error (works anywhere).")] = False,
) -> None:
    """Options that hold for every command."""


def _register() -> None:
    for module in pkgutil.iter_modules(cli.__path__):
        if module.name.startswith("_") or module.name == "main":
            continue
        command = importlib.import_module(f"dpt_bench.cli.{module.name}")
        app.command(name=getattr(command, "NAME", module.name.replace("_", "-")))(command.command)


_register()


def run() -> None:
    """Run `dpt-bench`. Exit code 0: done, 1: the work failed, 2: the call was wrong, 130: interrupted."""
    # Waiting OpenMP threads spin for milliseconds; beside other work on the same cores that made a training step 20
    # times slower. Without any spin a step of a small network takes 1.4 times as long: so they spin, but briefly.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    debug = "--debug" in sys.argv
    sys.argv[1:] = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(_fail(130, "interrupted; run the same command again to go on", debug=debug))
    except BrokenPipeError:
        sys.exit(1)  # the reader of our output went away: nothing left to say, and nobody to say it to
    except DptBenchError as error:
        sys.exit(_fail(error.exit_code, f"error: {error}", debug=debug))
    except Exception as error:  # noqa: BLE001  (one of the two broad excepts: nobody should see a traceback unasked)
        text = f"error: {type(error).__name__}: {error}\n  to do: run again with --debug and report the traceback"
        sys.exit(_fail(1, text, debug=debug))


def _fail(code: int, text: str, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write((wrapped(text) if sys.stderr.isatty() else text) + "\n")
    return code


def wrapped(block: str) -> str:
    """The lines of an error, broken between words at the terminal's width; a path stays whole and can be copied."""
    width = shutil.get_terminal_size().columns
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent=" " * 9 if line.startswith("  ") else "  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in block.splitlines()
    )


if __name__ == "__main__":
    run()
