"""Arrays only: cross-products, blocked factor, (log|V₀|, A) and derivatives, random effects, optimizer."""
