"""Runs of the whole pipeline that are killed, starved and locked out: do they go on, and end the same?"""
