"""A package: a mere folder would give way to an installed one of this name, which some libraries leave."""
