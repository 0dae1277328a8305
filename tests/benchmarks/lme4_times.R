# One case of lme4 in a process of its own: Rscript lme4_times.R DATA CASE REPEATS [RESPONSES]
# Prints the median seconds of a call after one to warm up, and its criterion. "load NAME" only reads the data.
given <- commandArgs(TRUE)
folder <- given[1]; case <- given[2]; repeats <- as.integer(given[3])
suppressMessages(library(lme4))
if (case == "versions") {
  cat("R ", R.version$major, ".", R.version$minor, "; lme4 ", as.character(packageVersion("lme4")), "; ",
      basename(extSoftVersion()[["BLAS"]]), "\n", sep = "")
  quit()
}
read <- function(name, factors) {
  file <- list.files(folder, paste0("^", name, "\\.csv"), full.names = TRUE)[1]
  data <- read.csv(file, na.strings = "NA")
  data[factors] <- lapply(data[factors], factor)
  data
}
sources <- list(
  sleepstudy = list("sleepstudy", "Subject"),
  Penicillin = list("Penicillin", c("plate", "sample")),
  Pastes = list("Pastes", c("batch", "cask")),
  InstEval = list("InstEval", c("s", "d", "service", "dept"))
)
formulas <- list(
  sleepstudy = Reaction ~ Days + (Days | Subject),
  Penicillin = diameter ~ 1 + (1 | plate) + (1 | sample),
  Pastes = strength ~ 1 + (1 | batch / cask),
  InstEval_standard = y ~ 1 + service + (1 | s) + (1 | d) + (1 | dept),
  InstEval_3terms = y ~ 1 + (1 | s) + (1 | d) + (1 | dept:service)
)
name <- sub("^(load_|refit_)", "", case)
data <- do.call(read, sources[[sub("_.*", "", name)]])
if (startsWith(case, "load_")) quit()
call <- function() lmer(formulas[[name]], data)
if (startsWith(case, "refit_")) {
  fit <- call()
  responses <- read.csv(given[4])
  turn <- 0
  call <- function() { turn <<- turn %% ncol(responses) + 1; refit(fit, responses[[turn]]) }
}
last <- if (repeats > 1) call() else NULL
times <- replicate(repeats, {
  start <- Sys.time()
  last <<- call()
  as.numeric(Sys.time() - start, units = "secs")
})
if (startsWith(case, "refit_")) {
  # refit() of lme4 1.1-31 ends a little beside the optimum; the criterion to compare is lmer()'s of that response
  data[[as.character(formulas[[name]][[2]])]] <- responses[[turn]]
  last <- lmer(formulas[[name]], data)
}
cat(median(times), format(REMLcrit(last), digits = 15), "\n")
