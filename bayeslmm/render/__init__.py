"""Tables, plots and pieces of HTML from arrays, labels and estimate tables; knows no engine."""
