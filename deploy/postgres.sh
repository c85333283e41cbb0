#!/bin/sh
# Runs once, when Postgres makes its data folder: the databases and the logins, by the superuser. Each login reaches
# one database. A database that is made later lets everybody in, until `revoke connect` is run for it as well.
#
# dagster                 owns the database of Dagster's own storage
# snap_pipeline_owner     owns the state database and migrates it
# snap_pipeline           what the pipeline logs in as; it owns nothing, and acts as snap_pipeline_app
# snap_pipeline_app       cannot log in; row-level security holds it to one workspace at a time
set -eu

psql --quiet --set=ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv dagster_password DAGSTER_POSTGRES_PASSWORD
\getenv owner_password SNAP_PIPELINE_OWNER_PASSWORD
\getenv pipeline_password SNAP_PIPELINE_STATE_PASSWORD

create role dagster login password :'dagster_password';
create database dagster owner dagster;

create role snap_pipeline_app nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication;
create role snap_pipeline_owner login password :'owner_password';
create role snap_pipeline login password :'pipeline_password';
grant snap_pipeline_app to snap_pipeline_owner, snap_pipeline;
create database snap_pipeline owner snap_pipeline_owner;
revoke connect, temporary on database dagster, snap_pipeline, postgres, template1 from public;
grant connect on database snap_pipeline to snap_pipeline;
SQL
