"""Log lines: one JSON object, or one readable line, each. Credentials never come here, so nothing is masked here."""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from l7lb.telemetry.passes import context

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", ...}`; what was given as `extra` stands beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an exception is a field of it."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: message name=value ...` for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback under it."""
        extra = "".join(f" {name}={value}" for name, value in vars(record).items() if name not in _STANDARD)
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}{extra}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class PassFilter(logging.Filter):
    """Gives each line that is written during a pass the names of what the pass is about."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every line; what a line says itself stays."""
        for name, value in context().items():
            if name not in vars(record):
                setattr(record, name, value)
        return True


FORMATTERS: dict[str, type[logging.Formatter]] = {"json": JsonFormatter, "text": TextFormatter}


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send every log line of the process to one stream (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(FORMATTERS[form]())
    handler.addFilter(PassFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Libraries below us format request bodies at DEBUG: credentials and certificates among them.
    for name in ("kubernetes", "requests", "tencentcloud_sdk_common"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its warnings are about connections: what matters of that comes as an exception, and is said by the adapters.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(record.msecs):03d}Z"
