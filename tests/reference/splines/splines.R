# Bases of R's splines package at the rows of x, and at new rows inside and beyond the boundary.
# Rscript splines.R > splines.json   (R 4.2.2)
library(splines)
x <- c(0.1, 0.4, 0.5, 0.9, 1.3, 1.4, 2.0, 2.2, 3.1, 3.3, 4.0, 5.5)
new <- c(-1, 0.2, 2.6, 7)
calls <- c("ns(x, 3)", "ns(x, df=5)", "ns(x, knots=c(1, 2.5))", "ns(x, df=4, intercept=TRUE)",
           "ns(x, df=3, Boundary.knots=c(0.3, 4))", "ns(x)", "bs(x, df=5)", "bs(x, knots=c(1, 2))",
           "bs(x, df=6, intercept=TRUE)", "bs(x, df=4, degree=2)", "bs(x)")
rows <- function(m) paste0("[", paste(apply(m, 1, function(r) paste0("[", paste(sprintf("%.13g", r), collapse = ", "), "]")),
                                      collapse = ", "), "]")
made <- sapply(calls, function(call) {
  m <- suppressWarnings(eval(parse(text = call)))
  sprintf('"%s": {"old": %s,\n "new": %s}', call, rows(unclass(m)), rows(suppressWarnings(predict(m, new))))
})
cat("{", paste(made, collapse = ",\n"), "}\n")
