"""The profile likelihood: what the deviance rises to when one parameter is held at a value."""
