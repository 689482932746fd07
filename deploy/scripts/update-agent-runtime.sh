#!/usr/bin/env bash
# Brings one agent's runtime on another host to a new version, and back again when that does not work.
# update-on-host.sh beside it is the part that runs there.
set -euo pipefail

usage() {
  cat <<'END'
update-agent-runtime.sh --agent NAME --host [USER@]HOST [OPTIONS]

Updates the runtime of an agent on another host over ssh: holds dispatch, backs up the database, brings the sources
forward, installs, builds, tests, checks health, migrates, restarts what ran, and asks the API whether it is there.

  --agent NAME      the agent, as in the names of its units
  --host HOST       where it runs, as ssh takes it
  --port N          the port of its API (4314)
  --repo-dir DIR    the sources on that host (agent-runtime, below the home folder); a git checkout is
                    fast-forwarded, anything else gets the files of this folder by rsync
  --config FILE     its configuration on that host (~/.config/agent-runtime/runtime.NAME.host.json)
  --branch NAME     the branch of origin to go to (main)
  --no-restart      leave the services stopped
  --dry-run         say what is there and what would be done; change nothing
  --help

When a step fails before dispatch and API are open again, version and data are put back and the services run as before.
When the API does not answer afterwards, the data are kept and dispatch stays paused. AGENT_RUNTIME_SSH is the ssh
command with its options (ssh).

Exit codes: 0 done; 1 not done, all is as it was before; 2 wrong usage; 3 the new version is in place, but dispatch is
held, see the last lines; 4 going back did not work in full, see the last lines.
END
}

wrong() {
  printf 'update-agent-runtime: %s\n' "$1" >&2
  printf 'Run update-agent-runtime.sh --help for what it takes.\n' >&2
  exit 2
}

agent='' host='' port=4314 repo=agent-runtime config='' branch=main restart=yes dry=no
while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --no-restart) restart=no; shift; continue ;;
    --dry-run) dry=yes; shift; continue ;;
    --agent | --host | --port | --repo-dir | --config | --branch)
      [ $# -ge 2 ] && [ -n "$2" ] || wrong "$1 needs a value"
      ;;
    *) wrong "there is no option $1" ;;
  esac
  case "$1" in
    --agent) agent=$2 ;;
    --host) host=$2 ;;
    --port) port=$2 ;;
    --repo-dir) repo=$2 ;;
    --config) config=$2 ;;
    --branch) branch=$2 ;;
  esac
  shift 2
done

[ -n "$agent" ] || wrong '--agent is missing: the agent to update'
[ -n "$host" ] || wrong '--host is missing: where the agent runs, as ssh takes it'
[[ $agent =~ ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ ]] || wrong "--agent $agent is no name for an agent"
[[ $host =~ ^[A-Za-z0-9_.][A-Za-z0-9_.@:-]*$ ]] || wrong "--host $host is no name of a host"
[[ $branch =~ ^[A-Za-z0-9_.][A-Za-z0-9_./-]*$ ]] || wrong "--branch $branch is no name of a branch"
[[ $port =~ ^[1-9][0-9]{0,4}$ ]] && [ "$port" -le 65535 ] || wrong "--port $port is no port; give 1 to 65535"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
read -r -a ssh <<<"${AGENT_RUNTIME_SSH:-ssh}"
ssh+=(-o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15)

there() {
  "${ssh[@]}" "$host" "bash -s -- $(printf '%q ' "$@")" <"$here/update-on-host.sh"
}

settings=("$agent" "$port" "$repo" "$config" "$branch" "$restart")

printf 'update of %s on %s\n' "$agent" "$host"
code=0
kind=$(there kind "${settings[@]}") || code=$?
if [ "$code" -ne 0 ]; then
  [ "$code" -ne 255 ] || printf 'update-agent-runtime: ssh does not reach %s; nothing was changed there\n' "$host" >&2
  exit 1
fi

if [ "$kind" = files ] && [ "$dry" = no ]; then
  printf 'sending the files of %s\n' "$root"
  incoming=$(there receive "${settings[@]}") || exit 1
  rsync -a --delete --rsh "${ssh[*]}" \
    --exclude /.git --exclude /node_modules --exclude /dist --exclude /.agents --exclude /state \
    --exclude /config/runtime.json --exclude '*.env' --exclude '*.db' --exclude '*.db-*' --exclude '*.host.json' \
    "$root/" "$host:$incoming/" || {
    printf 'update-agent-runtime: the files did not arrive; nothing was changed there\n' >&2
    exit 1
  }
fi

verb=update
[ "$dry" = no ] || verb=look
there "$verb" "${settings[@]}" || code=$?
if [ "$code" -eq 255 ]; then
  printf 'update-agent-runtime: the connection to %s broke; what was begun there goes on to its end\n' "$host" >&2
  printf 'Its log is the newest folder of ~/.local/state/agent-runtime/updates/ on that host.\n' >&2
  code=4
fi
exit "$code"
