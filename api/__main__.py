"""How is the API started? `python -m api`, configured by KAP_ variables; SIGTERM stops it in good order.

Exit status: 0 after a stop that was asked for, 2 when the configuration is wrong, 1 when it cannot listen.
"""

from services.process import end_process, end_when_asked, loading

if __name__ == "__main__":
    end_when_asked()
    with loading():
        from api.starting import main
    end_process(main())
