"""What can be wrong with an equation."""

KINDS = {
    "syntax": "cannot be read",
    "name": "uses a name that nothing declares",
    "shape": "does not fit together",
    "value": "is false",
    "rule": "breaks a rule of the book",
    "cascade": "uses an equation that has an error",
}


class Problem(Exception):
    """An equation cannot be read, does not fit together, or is false.

    `node` is the innermost part where this was noticed, `hint` the likely slip.
    """

    def __init__(self, message: str, node=None, kind: str = "value", hint: str = ""):
        super().__init__(message)
        self.message, self.node, self.kind, self.hint = message, node, kind, hint


class NoCase(Problem):
    """The point lies outside every row of cases: the equation says nothing there."""


class Kink(Problem):
    """No slope exists at this point."""


class Undefined(Problem):
    """The value does not exist at this point: a division by zero, the logarithm of a negative."""
