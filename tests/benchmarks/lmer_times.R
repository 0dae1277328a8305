# One case of lme4: Rscript lmer_times.R DATA FORMULA GROUPS REPEATS; prints version, median seconds, REML criterion.
given <- commandArgs(TRUE)
suppressMessages(library(lme4))
data <- read.csv(given[1])
for (name in strsplit(given[3], ",")[[1]]) data[[name]] <- factor(data[[name]])
formula <- as.formula(given[2])
last <- lmer(formula, data)
times <- replicate(as.integer(given[4]), {
  start <- Sys.time(); last <<- lmer(formula, data); as.numeric(Sys.time() - start, units = "secs")
})
cat(as.character(packageVersion("lme4")), median(times), format(REMLcrit(last), digits = 15), "\n")
