"""Decisions before a plan: trial, titration, weaning, profiles. No pump is changed."""
