#!/bin/sh
# Bring both databases of the engine to the schema of this server. Run again before each newer server: what is there
# already stays, and what cannot be done ends this with a status that is not 0.
set -eu
for database in temporal temporal_visibility; do
  kind=${database#temporal_}
  tool="temporal-sql-tool --plugin postgres12 --endpoint $POSTGRES_SEEDS --port $DB_PORT --user $POSTGRES_USER --database $database"
  $tool setup-schema --version 0.0
  $tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$kind/versioned"
done
