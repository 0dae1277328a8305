# lme4's designs of the formulas in formulas.json. Run in this folder: Rscript make.R ../../../bayeslmm/datasets/data
suppressMessages({library(lme4); library(jsonlite); library(splines)})
folder <- commandArgs(TRUE)[1]
facts <- fromJSON(file.path(folder, "datasets.json"), simplifyVector = FALSE)

read_data <- function(name) {
  columns <- facts[[name]]$columns
  is_factor <- sapply(columns, function(column) column$type %in% c("factor", "ordered"))
  names <- sapply(columns, `[[`, "name")
  data <- read.csv(file.path(folder, facts[[name]]$file), na.strings = "NA", check.names = FALSE,
                   colClasses = setNames(ifelse(is_factor, "character", NA), names))
  for (column in columns[is_factor])
    data[[column$name]] <- factor(data[[column$name]], unlist(column$levels), ordered = column$type == "ordered")
  na.omit(data)
}

design <- function(dataset, formula) {
  parts <- suppressMessages(lFormula(as.formula(formula), read_data(dataset)))
  X <- unname(as.matrix(parts$X)); y <- model.response(parts$fr); Z <- parts$reTrms$Zt
  list(dataset = dataset, formula = formula, X_columns = I(colnames(parts$X)), XtX = crossprod(X),
       Xty = I(drop(crossprod(X, y))), n_dropped = length(attr(parts$X, "col.dropped")), q = nrow(Z),
       n_theta = length(parts$reTrms$theta), Z_sum = sum(Z), Z_sum_sq = sum(Z^2))
}

formulas <- fromJSON("formulas.json")
designs <- lapply(seq_len(nrow(formulas)), function(i) design(formulas[i, 1], formulas[i, 2]))
write_json(designs, "designs.json", digits = 15, auto_unbox = TRUE)
