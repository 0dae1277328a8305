"""The ladder of location: from the estimate to the posterior mean in steps with causes that add up."""
