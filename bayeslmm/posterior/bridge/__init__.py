"""Other people's words for a model: Bambi's, and priors written for PyMC."""
