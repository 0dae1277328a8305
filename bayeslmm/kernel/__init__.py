"""Arrays only: cross-products, the blocked factor, (log|V0|, A) with derivatives, conditional effects, the optimizer."""
