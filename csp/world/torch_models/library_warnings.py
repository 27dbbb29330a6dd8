"""What libraries say about a model while it is opened: kept as notes instead of printed."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from csp.world.specs.registry import reason

_LOGGERS = ("", "open_clip", "timm", "transformers", "huggingface_hub")
"""The root's too: OpenCLIP logs there."""


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect warnings of libraries; the list is filled when the block ends, without repeats.

    Only what they say to users (`UserWarning`, log level WARNING): not what is meant for programmers.
    """
    said: list[str] = []
    keeper = _Keeper()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.level, logger.propagate, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [keeper], False
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield said
    finally:
        for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.handlers, logger.propagate = handlers, propagate
        heeded = [str(each.message) for each in caught if each.category is UserWarning]
        said.extend(dict.fromkeys(reason(Warning(text)) for text in (*heeded, *keeper.texts)))


class _Keeper(logging.Handler):
    """Keeps texts of one line: longer ones are tables for programmers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of level WARNING; errors are raised as well."""
        text = record.getMessage().strip()
        if record.levelno == logging.WARNING and "\n" not in text:
            self.texts.append(text)
