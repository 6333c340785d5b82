"""Likeness of reports: texts become vectors and n-grams, near ones are found, grouped and explained.

Pure of storage and screens: every module here takes texts or arrays and gives arrays or frozen results.
"""
