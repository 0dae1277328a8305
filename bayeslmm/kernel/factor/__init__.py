"""The factor of M = ΛᵀZᵀR⁻¹ZΛ + I, bordered by [Q r], and the way back from its derivatives."""
