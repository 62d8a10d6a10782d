"""The command that stays: run."""

import gc
import os
import sys

import click

from l7lb import __version__
from l7lb.app.application import Application
from l7lb.app.config import Value, config
from l7lb.cli.flags import flagged
from l7lb.cli.help import Command
from l7lb.telemetry import logs


@click.command(
    cls=Command,
    short_help="Keep the load balancers of a cluster right.",
    examples=("run --cluster-id cls-9mfq2k1t --region ap-guangzhou --vpc-id vpc-4hd8w0pn",),
    every_flag=True,
)
@flagged
def run(**values: Value) -> None:
    """Watch the cluster and keep its load balancers right.

    Exit code 0: stopped by a signal; 1: it could not go on (the API server or the cloud was of no use for two minutes,
    the lease was lost, a part has died); 2: wrong configuration.
    """
    built = config(values)
    logs.configure(built.log_level, built.log_format)
    application = Application(built, os.environ, __version__)
    # What is loaded by now stays to the end: the garbage collector, which stops every thread, need not look at it.
    gc.freeze()
    sys.exit(application.run())
