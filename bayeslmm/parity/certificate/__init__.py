"""The certificate: that two compiled models are one, line by line, from witnesses that share nothing."""
