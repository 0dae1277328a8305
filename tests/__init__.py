"""A package, not a mere folder: else an installed one of this name, left by a library, would take its place."""
