"""Answers that say whether something is wrong, judged by faults found and false alarms."""
