"""Ways to a posterior: NUTS, importance sampling, quadrature, and which one to take."""
