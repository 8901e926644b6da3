"""Tandem's system of record: what is true, who may see it, and every change to it."""
