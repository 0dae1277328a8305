"""Many posteriors of one design as arrays: many responses, many priors; no trees, no draws kept."""
