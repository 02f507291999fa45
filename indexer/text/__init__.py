"""Text → lexemes → fingerprints; a query goes through the very same functions as the corpus."""
