# One case of nlme: Rscript nlme_times.R DATA FORMULA GROUPS REPEATS; prints version, median seconds, -2 log restricted likelihood.
given <- commandArgs(TRUE)
suppressMessages(library(nlme))
data <- read.csv(given[1])
for (name in strsplit(given[3], ",")[[1]]) data[[name]] <- factor(data[[name]])
bar <- regmatches(given[2], regexpr("\\(.*\\)", given[2]))
fixed <- as.formula(sub(" \\+ \\(.*", "", given[2]))
random <- as.formula(paste("~", gsub("[()]", "", bar)))
# formulas stand in the call, so that update() and anova() would find them
call <- function() eval(bquote(lme(.(fixed), data, .(random))))
last <- call()
times <- replicate(as.integer(given[4]), {
  start <- Sys.time(); last <<- call(); as.numeric(Sys.time() - start, units = "secs")
})
cat(as.character(packageVersion("nlme")), median(times), format(-2 * as.numeric(logLik(last)), digits = 15), "\n")
