"""What is read off (log|V₀|, A): criteria, densities, fixed effects, information."""
