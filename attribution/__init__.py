"""Snippet → membership → candidates → alignment → verdict: where did this code come from?"""
