"""The only room that knows paths: a project's folder, files that a crash leaves old or new, its diagnostic log.

What the files mean belongs to who writes them: stages, `registry/`, `database/`.
"""
