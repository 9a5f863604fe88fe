"""Is this connection of the pool still one? Looked at each time one is handed out, mostly without asking the server.

A server that ends a connection says so: its last words, or the end of the stream, lie in the socket. A connection
that was in use a moment ago and whose socket is silent is alive; every other one is asked. What this cannot see (a
cable pulled within the last seconds) is an error of the statement, as it is when the cable is pulled a moment later.
"""

import select
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

TRUSTED_S = 5.0
USED_AT = "kap-used-at"


def watch(engine: Engine) -> None:
    """Hand out live connections only; a dead one takes all older ones with it, and new ones are made."""

    def used(connection: Any, record: Any) -> None:
        record.info[USED_AT] = time.monotonic()

    def look(connection: Any, record: Any, proxy: Any) -> None:
        since = time.monotonic() - record.info.setdefault(USED_AT, time.monotonic())
        if since < TRUSTED_S and is_silent(connection.driver_connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:
            raise DisconnectionError("the server has ended the connection") from gone

    event.listen(engine, "checkin", used)
    event.listen(engine, "checkout", look)


def is_silent(connection: Any) -> bool:
    """Has the server said nothing since it was asked last?"""
    if connection.closed:
        return False
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not socket.poll(0)
