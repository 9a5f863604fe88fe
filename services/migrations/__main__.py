"""`python -m services.migrations`: bring the schema of the record up, once per release, before its processes start.

Exit status: 0 when it is the newest, 1 when it was asked to stop before, 2 when the configuration is wrong. Several at
once: one does it, all wait.
"""

from services.process import end_process, end_when_asked, loading

STOPPED = "stopped before the schema was the newest; what was begun is undone, ask again\n"

if __name__ == "__main__":
    end_when_asked(1, STOPPED)  # whoever waits for this takes 0 for a schema that is ready
    with loading():
        from services.migrations.starting import main
    end_process(main())
