#!/bin/sh
# The adapter `aibtc-heartbeat`: runs the check-in command of this host. Its exit code and output are judged
# like those of any script; a rate limit that it prints ("try again in N seconds") is waited for.
set -eu

if [ -z "${AIBTC_HEARTBEAT_COMMAND:-}" ]; then
  printf '%s\n' '{"status":"blocked","operator_summary":"No heartbeat command is set on this host, so nothing was sent. Set AIBTC_HEARTBEAT_COMMAND to the check-in command, in the environment of the dispatcher or in an envFile of the adapter aibtc-heartbeat (see config/heartbeat.env.example), then retry this task.","machine_status":"blocked"}'
  exit 0
fi

exec sh -c "$AIBTC_HEARTBEAT_COMMAND"
