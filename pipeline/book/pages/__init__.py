"""One page a file."""


