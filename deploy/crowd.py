"""How is a database filled with a hundred thousand courses in a few seconds? By the database itself.

Nine of ten are at one site; one of five is under way, with an open task; every second one had a visit. Nobody is in it:
names are a few bytes that nobody opens.
"""

from __future__ import annotations

import psycopg

JOURNEYS = 100_000
SITE = "site-a"
SITES = f"CASE WHEN n % 10 = 0 THEN 'site-b' ELSE '{SITE}' END"
"""Where the course with the number `n` is."""

COURSES = """
INSERT INTO patient (id, site, name, birth_date, sex, person_index, language, time_zone, preferred_channel,
    detail_opt_in)
SELECT 'p' || n, :sites, '\\x00', '\\x00', '\\x00', 'i' || n, 'en',
    'UTC', 'sms', false
FROM generate_series(1, :journeys) n;
INSERT INTO journey (id, site, patient_id, indication, protocol, protocol_hash, stage, status, on_hold,
    started_at, closed_at, time_zone, doses, sessions_completed, last_seq, last_hash, version)
SELECT 'journey/' || site || '/' || id, site, id, 'major-depressive-disorder', 'p|1', 'h',
    CASE WHEN n % 5 > 0 THEN 'finished' WHEN n % 100 = 5 THEN 'screening' ELSE 'treating' END,
    CASE WHEN n % 5 > 0 THEN 'finished' WHEN n % 1000 = 15 THEN 'onhold' ELSE 'active' END,
    n % 1000 = 15, now() - n * interval '10 minutes',
    CASE WHEN n % 5 > 0 THEN now() - n * interval '1 minute' END, 'UTC', n % 2, 2, 3, 'h', 1
FROM (SELECT id, site, substr(id, 2)::int AS n FROM patient) AS everybody;
"""

WORK = """
INSERT INTO task (id, journey_id, task_id, site, code, owner, status, priority, rank, opened_at, opened_seq,
    due_at, overdue_at, escalated_to, holder, holder_role, held_at, held_until)
SELECT 't' || n, id, 'one', site, codes[n % 4 + 1], owners[n % 3 + 1], status, ranks[r + 1], r,
    now() - interval '9 days', 1, now() + (n % 20000 - 8000) * interval '1 minute',
    CASE WHEN n % 20000 < 2000 THEN now() END, CASE WHEN n % 20000 < 2000 THEN 'medical-director' END,
    CASE WHEN n % 500 = 0 THEN 'me' END, CASE WHEN n % 500 = 0 THEN 'nurse' END,
    CASE WHEN n % 500 = 0 THEN now() END, CASE WHEN n % 500 = 0 THEN now() + interval '1 hour' END
FROM (SELECT id, site, substr(patient_id, 2)::int AS n,
        CASE WHEN closed_at IS NULL THEN 'requested' ELSE 'completed' END AS status,
        CASE WHEN substr(patient_id, 2)::int % 97 = 0 THEN 0 ELSE 1 + substr(patient_id, 2)::int % 3 END AS r,
        ARRAY['book-session', 'take-consent', 'check-in', 'decide-course'] AS codes,
        ARRAY['coordinator', 'nurse', 'prescriber'] AS owners,
        ARRAY['stat', 'asap', 'urgent', 'routine'] AS ranks
    FROM journey WHERE closed_at IS NULL OR doses > 0) AS courses;
INSERT INTO session_visit (journey_id, session, site, status, booking_status, starts_at, ends_at, room,
    checked_in_at, dosed_at, discharged_at, closed_at)
SELECT id, s, site, 'finished', 'fulfilled', began, began + interval '4 hours', 'room-1', began, began,
    began + interval '3 hours', began + interval '4 days'
FROM (SELECT id, site, s, now() - (substr(patient_id, 2)::int * 15 + s * 5000) * interval '1 minute'
        - interval '2 days' AS began
    FROM journey, generate_series(1, 1) s WHERE doses > 0) AS visits;
INSERT INTO session_visit (journey_id, session, site, status, booking_status, starts_at, ends_at, room,
    checked_in_at, dosed_at)
SELECT id, 3, site, 'planned', 'booked', now() + (n % 2000 - 10) * interval '5 minutes', now() + interval '9 days',
    'room-1', CASE WHEN n % 2000 < 10 THEN now() END, CASE WHEN n % 2000 < 5 THEN now() END
FROM (SELECT id, site, substr(patient_id, 2)::int AS n FROM journey WHERE closed_at IS NULL) AS open;
INSERT INTO observation (journey_id, observation_id, session, status, minute, tier, seq)
SELECT journey_id, 'o' || session || m, session, 'final', m, 'normal', m
FROM session_visit, generate_series(10, 20, 10) m WHERE session = 3;
INSERT INTO risk_case (journey_id, case_id, site, status, level, opened_at, opened_seq)
SELECT id, 'c', site, CASE WHEN n % 400 = 0 THEN 'open' ELSE 'resolved' END,
    CASE WHEN n % 3 = 0 THEN 'high' ELSE 'low' END, started_at, 1
FROM (SELECT *, substr(patient_id, 2)::int AS n FROM journey) AS courses WHERE n % 4 = 0;
INSERT INTO journey_entry (journey_id, seq, key, kind, occurred_at, actor_id, actor_role, payload, content_hash,
    previous_hash, hash)
SELECT id, s, 'k' || s, 'task.opened', now(), 'a', 'nurse', '\\x00', 'c', 'p', 'h'
FROM journey, generate_series(1, 2) s WHERE substr(patient_id, 2)::int % 4 = 1;
INSERT INTO journey_entry (journey_id, seq, key, kind, occurred_at, actor_id, actor_role, payload, content_hash,
    previous_hash, hash)
SELECT 'journey/site-a/p5', s, 'k' || s, 'task.opened', now(), 'a', 'nurse', '\\x00', 'c', 'p', 'h'
FROM generate_series(3, 3000) s;
"""

DRUGS = """
INSERT INTO drug_container (id, site, drug, product, strength, lot, expires_on, received_at, received_mg,
    remaining_mg, counted_at, last_at, closed_at, last_seq, cases)
SELECT 'c' || n, 'site-a', 'ketamine-racemic', 'vial', '10 mg/mL', 'L' || n % 500, '2099-01-01',
    now() - n * interval '1 hour', 500, 500, now(), now(), CASE WHEN n % 50 > 0 THEN now() END, 1, 0
FROM generate_series(1, 4000) n;
INSERT INTO drug_discrepancy (container_id, number, site, status, kind, expected_mg, found_mg, difference_mg,
    movement_seq, involved, opened_at, owner, case_started_at)
SELECT id, 1, site, CASE WHEN n % 100 = 0 THEN 'open' ELSE 'closed' END, 'count', 1, 1, 0, 1, '[]', received_at,
    'medical-director', now()
FROM (SELECT *, substr(id, 2)::int AS n FROM drug_container) AS books;
"""


def fill(connection: psycopg.Connection, journeys: int = JOURNEYS, *, sites: str = SITES) -> None:
    """Fill an empty, migrated database; the statistics of the planner are up to date afterwards."""
    connection.execute("SET synchronous_commit = off")
    for statements in (COURSES.replace(":journeys", str(journeys)).replace(":sites", sites), WORK, DRUGS):
        connection.execute(statements)
    connection.execute("VACUUM ANALYZE")
