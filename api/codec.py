"""How does the Temporal Web UI show payloads to those who may read them? `python -m api.codec`, a codec endpoint.

Exit status as `python -m api`.
"""

from services.process import end_process, end_when_asked, loading

if __name__ == "__main__":
    end_when_asked()
    with loading():
        from api.codec_endpoint import main
    end_process(main())
