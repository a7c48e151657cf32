"""How a command says that it cannot go on."""

import click

from mock_truenas.complaints import BadInput


def complaint(place: str, value: object, what: str) -> click.ClickException:
    """One line for people: where, which value, and the way out."""
    return click.ClickException(f"{place} {value}: {what}")


def of_input(error: BadInput) -> click.ClickException:
    """The same of input that was refused."""
    return click.ClickException(str(error))


class BrokeWhileServing(Exception):
    """It served, and then something gave way; the text is one line."""
