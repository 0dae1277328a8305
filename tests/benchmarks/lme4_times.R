# Seconds of lme4's own calls, as lines "name seconds criterion"; the data are the packaged CSV files.
suppressMessages(library(lme4))
folder <- commandArgs(TRUE)[1]
repeats <- as.integer(commandArgs(TRUE)[2])
large <- commandArgs(TRUE)[3] == "TRUE"

read <- function(name, factors) {
  file <- list.files(folder, paste0("^", name, "\\.csv"), full.names = TRUE)
  data <- read.csv(file, na.strings = "NA")
  data[factors] <- lapply(data[factors], factor)
  data
}
seconds <- function(call, times) {
  call()
  median(replicate(times, { start <- proc.time()[["elapsed"]]; for (i in 1:5) call(); (proc.time()[["elapsed"]] - start) / 5 }))
}
report <- function(name, call, times = repeats) {
  cat(name, seconds(call, times), deviance(call(), REML = TRUE), "\n")
}
sleepstudy <- read("sleepstudy", "Subject")
Penicillin <- read("Penicillin", c("plate", "sample"))
Pastes <- read("Pastes", c("batch", "cask"))
report("sleepstudy", function() lmer(Reaction ~ Days + (Days | Subject), sleepstudy))
report("Penicillin", function() lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin))
report("Pastes", function() lmer(strength ~ 1 + (1 | batch / cask), Pastes))
fit <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
set.seed(1)
responses <- simulate(fit, 20)
turn <- 0
report("refit", function() { turn <<- turn %% 20 + 1; refit(fit, responses[[turn]]) })
if (large) {
  InstEval <- read("InstEval", c("s", "d", "service", "dept"))
  once <- function(name, formula) {
    start <- proc.time()[["elapsed"]]
    fit <- lmer(formula, InstEval)
    cat(name, proc.time()[["elapsed"]] - start, REMLcrit(fit), "\n")
  }
  once("InstEval_standard", y ~ 1 + service + (1 | s) + (1 | d) + (1 | dept))
  once("InstEval_3terms", y ~ 1 + (1 | s) + (1 | d) + (1 | dept:service))
}
