#!/bin/sh
# Bring both databases of the engine to the schema of this server. Run again before each newer server.
set -eu
for database in temporal temporal_visibility; do
  kind=${database#temporal_}
  tool="temporal-sql-tool --plugin postgres12 --endpoint $POSTGRES_SEEDS --port 5432 --user $POSTGRES_USER --database $database"
  $tool setup-schema --version 0.0 || echo "$database has a schema already"
  $tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$kind/versioned"
done
