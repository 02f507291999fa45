"""How good is attribution? Windows of code, changed in known ways, asked for, and judged.

windows → changes → systems (the tracer, its layers, baselines) → judge → metrics → report. Nothing
here is imported by a query.
"""
