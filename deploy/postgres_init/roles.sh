#!/bin/sh
# Two owners who do not see each other's database: the record's and the engine's. Run once, on an empty cluster.
set -eu
psql --set ON_ERROR_STOP=1 --set kap="$RECORD_PASSWORD" --set engine="$ENGINE_PASSWORD" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE kap LOGIN PASSWORD :'kap';
CREATE ROLE temporal LOGIN PASSWORD :'engine';
CREATE DATABASE kap OWNER kap;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE kap, temporal, temporal_visibility FROM PUBLIC;
SQL
