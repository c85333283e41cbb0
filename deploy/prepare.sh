#!/bin/sh
# Brings both databases up to date: before anything else starts, and after each upgrade. The state database's login
# must be its owner; the pipeline itself runs under a login that owns nothing.
set -eu

dagster instance migrate
# How many steps may send to Snap at once.
dagster instance concurrency set snap_capi "${SNAP_CAPI_POOL:-4}"
# Any command migrates the state database; this one also shows who receives.
snap-pipeline destination list
