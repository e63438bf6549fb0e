"""Running a stranger's program: namespaces, a list of system calls, bounds."""
