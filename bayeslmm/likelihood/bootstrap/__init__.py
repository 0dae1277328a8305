"""Bootstrap of a fit: a kind makes responses, one engine refits them, intervals are read off the draws."""
