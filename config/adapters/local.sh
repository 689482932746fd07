#!/bin/sh
# The adapter `local`: tells a person, in plain text, what a GitHub or Discord event (or any flat payload)
# says. It needs sh and awk, no model and no network. What it prints becomes the outcome's summary.
set -eu
LC_ALL=C
export LC_ALL

if [ -n "${AGENT_RUNTIME_TASK_PAYLOAD_JSON:-}" ]; then
  printf '%s' "$AGENT_RUNTIME_TASK_PAYLOAD_JSON"
elif [ -r "${AGENT_RUNTIME_PAYLOAD_PATH:-}" ]; then
  cat -- "$AGENT_RUNTIME_PAYLOAD_PATH"
else
  echo 'local.sh: neither AGENT_RUNTIME_TASK_PAYLOAD_JSON nor a readable AGENT_RUNTIME_PAYLOAD_PATH is set' >&2
fi | awk -f "$(dirname -- "$0")/local.awk"
