"""The deterministic engine: ML and REML fits, their inference, prediction and bootstrap."""
