"""`python -m workers [--queue NAME …]`: run the background work of these queues, or of all of them.

Exit status 2: the configuration has faults; 3: this build cannot go on with workflows that run now.
"""

import sys

from services.process import end_process, loading

if __name__ == "__main__":
    with loading():
        from workers.starting import main
    end_process(main(sys.argv[1:]))
