"""How does the record of a group of clinics look, small and large, when the site that asks has the same day in both?

However many courses a group has had, a site has as many chairs as before: the first thousand courses, and with them
all that is open and today's visits at `SITE`, are the same in both sizes. What a large record has more are finished
courses of ten years, half of them of this very site, the work of forty other sites, and one that drowns in it.
"""

from __future__ import annotations

import psycopg

from deploy.crowd import SITE, fill
from deploy.seed import TIME_ZONE
from services.encryption import FieldCipher
from services.records.ledger import PAYLOAD

DROWNING = "site-b"
OWN = 1_000
"""So many courses are the same in every size."""

SITES = f"""CASE WHEN n <= {OWN} OR n % 10 IN (1, 2, 3, 4, 6) THEN '{SITE}' WHEN n % 10 = 0 THEN '{DROWNING}'
    ELSE 'site-' || n % 40 END"""

DAY = f"""
UPDATE session_visit SET starts_at = began +
    CASE WHEN n <= 200 THEN n * interval '7 minutes' ELSE n * interval '1 day' END
FROM (SELECT id, substr(patient_id, 2)::int AS n, date_trunc('day', now() AT TIME ZONE '{TIME_ZONE}')
    AT TIME ZONE '{TIME_ZONE}' AS began FROM journey) AS courses
WHERE id = journey_id AND session = 3 AND n <= {OWN};
UPDATE session_visit SET checked_in_at = now(), dosed_at = CASE WHEN n <= 20 THEN now() END
FROM (SELECT id, substr(patient_id, 2)::int AS n FROM journey) AS courses
WHERE id = journey_id AND session = 3 AND n <= 40;
UPDATE observation SET seq = minute / 10
FROM (SELECT id, substr(patient_id, 2)::int AS n FROM journey) AS courses WHERE id = journey_id AND n <= 40;
INSERT INTO journey_entry (journey_id, seq, key, kind, occurred_at, actor_id, actor_role, payload, content_hash,
    previous_hash, hash)
SELECT id, s, 'k' || s, 'task.opened', now(), 'a', 'nurse', '\\x00', 'c', 'p', 'h'
FROM journey, generate_series(1, 2) s WHERE substr(patient_id, 2)::int <= {OWN} AND closed_at IS NULL
ON CONFLICT DO NOTHING;
INSERT INTO booking (id, site, journey_id, session, status, starts_at, ends_at, dose_at, home_at, room, needs,
    leans, sequence, held_by, held_at, booked_at)
SELECT 'b' || row_number() OVER (), visits.site, journey_id, session, 'booked', starts_at,
    starts_at + interval '4 hours', starts_at,
    starts_at + interval '4 hours', 'room-1', jsonb_build_object('parts', parts), false, 0, 'a', now(), now()
FROM session_visit AS visits, (SELECT jsonb_agg(jsonb_build_object('part', kind, 'resource_id', id, 'resource', code,
    'number', number, 'place', 1, 'starts_at', now(), 'ends_at', now())) AS parts
    FROM resource WHERE site = '{SITE}' AND code LIKE '%-1') AS needed
WHERE visits.site = '{SITE}' AND session = 3 AND starts_at < now() + interval '2 days';
UPDATE journey SET protocol = %(protocol)s WHERE substr(patient_id, 2)::int <= {OWN};
"""  # noqa: S608  # nothing of anybody's stands in it

TO_WRITE = """SELECT entry.journey_id, entry.key FROM journey_entry AS entry JOIN journey ON id = journey_id
WHERE seq = 1 AND closed_at IS NULL AND site = ANY(%s)"""


def furnish_group(
    connection: psycopg.Connection, courses: int, cipher: FieldCipher, reason: str, protocol: str
) -> None:
    """Fill a migrated database in which `SITE` has its rooms and its protocol, and nobody a course."""
    fill(connection, courses, sites=SITES)
    with connection.transaction():
        connection.execute(
            "SET LOCAL session_replication_role = replica"
        )  # nobody may change an entry but so
        for statement in DAY.strip().split(";\n"):
            connection.execute(statement.rstrip(";"), {"protocol": protocol} if "%(" in statement else None)
        places = connection.execute(TO_WRITE, [[SITE, DROWNING]]).fetchall()
        sealed = [(cipher.encrypt(PAYLOAD, reason, row="\0".join(place)), *place) for place in places]
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE journey_entry SET payload = %s WHERE journey_id = %s AND key = %s", sealed
            )
    connection.execute("VACUUM ANALYZE")
