"""`python -m workers [--queue NAME …]`: run the background work of these queues, or of all of them.

Exit status: 0 after a stop that was asked for; 2: the configuration has faults; 3: this build cannot go on with
workflows that run now.
"""

import sys

from services.process import end_process, end_when_asked, loading

if __name__ == "__main__":
    end_when_asked()
    with loading():
        from workers.starting import main
    end_process(main(sys.argv[1:]))
