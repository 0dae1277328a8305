"""The kernel: (Λ, R) ↦ (log|V₀|, A), A = [X y]ᵀV₀⁻¹[X y], its derivatives, and what is read off them.

Arrays only: no label, no data frame, no formula. V₀ = ZΛΛᵀZᵀ + R; θ makes Λ, and φ makes R, before they come
here. Everything starts from cross-products of the whitened rows R^{-½}[Z X y]; after that only
`Whitened.pull`, which gives derivatives by them, and `leave_out` see rows.

Words
-----
block : the random effects of one grouping factor; level : one of its groups; coef : one of its effects.
Q, r, γ, δ : R^{-½}X = Q R_X orthonormal, y's least-squares residual and coefficients; β = R_X⁻¹(γ + δ).
C, F : a block's columns times C are orthonormal on average; F = C⁻¹Λ is their relative factor.
M, L, W : M = ΛᵀZᵀR⁻¹ZΛ + I = LLᵀ, W = L⁻¹Λᵀ(R^{-½}Z)ᵀ[Q r]; then log|V₀| = log|M| + log|R| and
    A = [Q r]ᵀ[Q r] − WᵀW, in the place of X and y.
chain : blocks nested one in the next, eliminated level by level; node : a level of the chain; leaf : one of
    its finest block.
panel : the columns of a node in M, later L: its own rows, those of the coarser nodes it lies in (its
    ancestors), of the tail's levels it meets, and its border. border : the p + 1 rows of [Q r].
tail : the blocks that are not in the chain, held as one dense matrix, bordered by [Q r].
clique : levels of one block that R lets meet, also through others; in the chain the later ones (by code) are
    ancestors, too; a clique of more than a third of its block sends the block to the tail.
entry : what a whitened row holds of one level.
like : a node of a condensed problem whose own rows of L another one has, too.
position : place of a random effect in the order of elimination; public : in that of Z's columns.

The order of reading
--------------------
1. `problem.layout`: how a problem is packed, and by what names it is read. `problem`: `blocks` and
   `together` (which levels meet) decide the order of elimination, `tables` what each panel holds, `entries`
   whitens Z's rows level by level, `elimination` puts them in their place; `crossproducts` makes a problem
   from rows in memory, at any R, `streaming` from chunks. `sufficient` is the part that the response enters
   by, `relation` known covariance between levels, `condensed` the same problem from fewer nodes, `patterns`
   what R⁻¹'s sum of squares is made of at many φ.
2. `factor`: `blocked` is the equation, chain and tail; `dense` decides by size between loops and LAPACK
   (`lapack`); `pullback` takes derivatives by (log|V₀|, A) back to Λ, `product_cotangents` to the
   cross-products; `factored` is the factor with both; `chain` solves with L.
3. `values`: `criterion` with β and σ profiled out, `density` with b or b and β integrated out, `one_factor`
   the same compiled for a problem's sizes; `solved` is δ̂ and r² from A, `fixed_effects` β's prior and
   draws; `information` a model of the Hessian, `leave_out` densities of groups left out,
   `integrated_moments` densities beside what β is there, at many points.
4. `effects`: `conditional` is b given y at one Λ, `effect_moments` at many, `draws` exact draws,
   `draws_by_level` of one factor, `nearby_draws` where a factor is dear; `by_block` products with every
   level's own matrix.
5. `search`: `moment_start` where it begins, `optimizer` its steps, `refit` the same for many responses,
   compiled.

`kernel.Kernel` is the face of all this for one problem; `compiled` how things are compiled and cached,
`interpreted` what Python runs until then, `addresses` how compiled functions call each other, `shared_cache`
how processes share them, `ahead` what is compiled before anybody asks; `independence` turns weighted draws
into a chain.

A residual structure (`spec.residual`, a file each) gives the groups of rows it joins, whitening and log|R|.
`spec.moving` takes it through `problem.crossproducts.Observations` at any φ, and derivatives back by
`Whitened.pull`; where R⁻¹ is a few known matrices with weights, `spec.moments` goes without the rows, by
`product_cotangents`. Where R joins rows, `condensed` declines and `leave_out` takes the whitened rows of each
group.
"""
