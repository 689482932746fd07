#!/usr/bin/env bash
# The part of update-agent-runtime.sh that runs on the agent's host; that script hands it over by ssh.
# It is read to its end before it begins, and goes on when the connection breaks.
set -uo pipefail

STEPS=(drain backup sync install build test healthcheck migrate restart probe)

# What belongs to this host alone, and what is made from the sources.
KEEP=(--exclude /.git --exclude /node_modules --exclude /dist --exclude /.agents --exclude /state
  --exclude /config/runtime.json --exclude '*.env' --exclude '*.db' --exclude '*.db-*' --exclude '*.host.json')

say() { printf '%s\n' "$*"; }
note() { printf '    %s\n' "$*"; }

# A field of the JSON on stdin, empty where there is none.
field() {
  node -e 'let value = JSON.parse(require("fs").readFileSync(0, "utf8"))
    for (const key of process.argv[1].split(".")) value = value?.[key]
    console.log(value ?? "")' "$1"
}

runtime() { timeout -k 10 300 "${program:-$binary}" "$@" --config "$config" -o json; }
units() { systemctl --user "$@"; }
# All that are installed, whatever runs now.
stop_all() {
  local unit known=()
  for unit in "$timer" "$cycle" "$resident" "$operator"; do ! units cat "$unit" >/dev/null 2>&1 || known+=("$unit"); done
  [ "${#known[@]}" -eq 0 ] || units stop "${known[@]}"
}
start() { timeout -k 10 180 systemctl --user start "$@"; }
was_up() { [[ " ${up[*]:-} ${waiting[*]:-} " == *" $1 "* ]]; }

last_event() { runtime events --limit 1 | field events.0.id; }

# How many events since the backup tell of somebody who was answered; what the runtime does by itself, it does again.
acknowledged_since_backup() {
  runtime events --since "$saved_event" --limit 10000 | node -e '
    const { events } = JSON.parse(require("fs").readFileSync(0, "utf8"))
    console.log(events.filter((one) => !["dispatch", "schedule", "workflow"].includes(one.actor.surface)).length)'
}

place() {
  agent=$1 port=$2 repo=$3 config=$4 branch=$5 start_again=$6
  # shellcheck disable=SC2088 # It comes as it was written on the other host.
  case "$repo" in '~/'*) repo=$HOME/${repo#'~/'} ;; /*) ;; *) repo=$HOME/$repo ;; esac
  local own=${XDG_CONFIG_HOME:-$HOME/.config}/agent-runtime/runtime.$agent.host.json
  [ -n "$config" ] || config=$own
  # shellcheck disable=SC2088
  case "$config" in '~/'*) config=$HOME/${config#'~/'} ;; /*) ;; *) config=$HOME/$config ;; esac
  binary=$repo/dist/agent-runtime
  incoming=$HOME/.cache/agent-runtime/incoming-$agent
  updates=${XDG_STATE_HOME:-$HOME/.local/state}/agent-runtime/updates
  operator=agent-runtime-operator@$agent.service
  resident=agent-runtime-dispatch@$agent.service
  timer=agent-runtime-dispatch@$agent.timer
  cycle=agent-runtime-run-once@$agent.service
  export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
  if [ -e "$repo/.git" ]; then kind=git; elif [ -d "$repo" ]; then kind=files; else kind=none; fi
  number=0 paused_here=no synced=no rebuilt=no opened=no api_open=no up=() waiting=()
}

refuse() {
  say "refused: $1"
  say 'Nothing was changed.'
  exit 1
}

# Everything that can be known before anything is touched.
look() {
  [ -d "$repo" ] || refuse "there is no folder $repo; --repo-dir names the sources on this host"
  command -v node >/dev/null || refuse 'node is not on the PATH of a shell without login; Node 20 or later builds the runtime'
  [ -x "$binary" ] || refuse "there is no $binary to go back to; build it once (npm run build)"
  [ -r "$config" ] || refuse "there is no configuration $config; --config names it"
  units show-environment >/dev/null 2>&1 || refuse 'the service manager of this user does not answer; loginctl enable-linger starts it'
  old_version=$("$binary" --version) || refuse "$binary does not start"
  local status unit
  status=$(runtime status) || refuse 'the version that is there cannot open its store; mend that first'
  was_paused=$(field dispatch_paused.paused <<<"$status")
  for unit in "$operator" "$resident" "$timer"; do
    case "$(units is-active "$unit")" in
      active | reloading) up+=("$unit") ;;
      activating) waiting+=("$unit") ;;
    esac
  done
  if [ "$kind" = git ]; then
    old=$(git -C "$repo" rev-parse HEAD) || refuse "$repo is no git checkout that can be read"
    [ -z "$(git -C "$repo" status --porcelain --untracked-files=no)" ] ||
      refuse "$repo has changes of its own; commit them, or put them away"
    target=$(timeout 60 git -C "$repo" ls-remote origin "refs/heads/$branch" | cut -f1)
    [ -n "$target" ] || refuse "origin has no branch $branch, or cannot be reached from here"
  else
    command -v rsync >/dev/null || refuse "rsync is not installed here, and $repo is no git checkout"
    old='its files' target='the files that were sent'
  fi
  note "version   $old_version ($old)"
  note "target    $target"
  note "config    $config"
  note "running   ${up[*]:-no unit of $agent}${waiting[*]:+, starting ${waiting[*]}}"
  [ "$was_paused" != true ] || note 'dispatch is paused, and will stay so'
}

drain() {
  if [ "$was_paused" != true ]; then
    runtime pause --reason "update to $target" >/dev/null || return 1
    paused_here=yes
  fi
  # A dispatcher that is stopped waits for what runs, and puts back what does not end in time.
  stop_all || return 1
  local status
  status=$(runtime status) || return 1
  [ "$(field dispatcher.held <<<"$status")" = false ] && return 0
  note "$(field dispatcher.runner_id <<<"$status") still dispatches, outside of the units"
  return 1
}

backup() {
  saved_event=$(last_event) || return 1
  saved=$(mktemp -u "$work/runtime-XXXXXX.db")
  runtime backup --to "$saved" >/dev/null || return 1
  note "$saved"
  [ -e "$work/agent-runtime" ] || cp -p --reflink=auto "$binary" "$work/agent-runtime"
}

sync() {
  if [ "$kind" = git ]; then
    timeout 300 git -C "$repo" fetch --quiet origin "$branch" && target=$(git -C "$repo" rev-parse FETCH_HEAD) || return 1
    synced=yes
    git -C "$repo" merge --quiet --ff-only "$target"
  else
    rsync -a "${KEEP[@]}" "$repo/" "$work/sources/" || return 1
    synced=yes
    rsync -a --delete "${KEEP[@]}" "$incoming/" "$repo/"
  fi
}

in_sources() { (cd "$repo" && timeout -k 10 1200 "$@"); }
install() { in_sources npm run --silent setup; }
build() { rebuilt=yes && in_sources npm run --silent build; }
# A minute at most: the types, the words and the configuration by their tests, the way from queue to evidence by the demo.
try_out() {
  [ ! -x "$repo/node_modules/.bin/tsc" ] || in_sources node_modules/.bin/tsc --noEmit || return 1
  in_sources npm test --silent -- test/domain test/config && in_sources "$binary" demo >/dev/null
}

healthcheck() {
  # The new version migrates the database when it opens it: from here on the backup may be needed.
  if [ "$(program=$work/agent-runtime acknowledged_since_backup)" != 0 ]; then
    note 'something was queued meanwhile, so the backup is made anew'
    program=$work/agent-runtime backup || return 1
  fi
  opened=yes
  runtime healthcheck >"$work/healthcheck.json" && return 0
  cat "$work/healthcheck.json"
  return 1
}

migrate() { runtime status >/dev/null; }

# Whether the API answers, on any address of this host.
answers() {
  local at
  for at in 127.0.0.1 $(hostname -I 2>/dev/null); do
    case "$at" in *:*) at="[$at]" ;; esac
    node -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(3000) }).then((answer) => answer.json())
      .then((told) => process.exit(told.ok === true ? 0 : 1), () => process.exit(1))' \
      "http://$at:$port/api/heartbeat" && return 0
  done
  return 1
}

# Dispatch is still paused: what starts here claims nothing yet.
restart() {
  if [ "$start_again" = no ]; then
    note 'left stopped, as it was asked for'
    return 0
  fi
  units daemon-reload || return 1
  ! was_up "$resident" || start "$resident" || return 1
  if was_up "$timer"; then
    start "$cycle" && start "$timer" || return 1
  fi
  was_up "$operator" || return 0
  start "$operator" || return 1
  local try
  for try in 1 2 3 4 5 6 7 8; do
    if answers; then api_open=yes; return 0; fi
    [ "$(units is-active "$operator")" = active ] || { note "$operator does not stay up (try $try)"; return 1; }
    sleep 1
  done
  # It is up and may have answered somebody: from here on nothing is taken back.
  api_open=yes
}

probe() {
  [ "$start_again" = yes ] && was_up "$operator" || { note 'there is no API to ask'; return 0; }
  answers && return 0
  note "nothing answers /api/heartbeat on port $port"
  return 1
}

open_again() { [ "$paused_here" = no ] || runtime resume >/dev/null; }

# ---- Going back

held_at() {
  say "$1"
  # Nothing is claimed while dispatch is paused; what can be looked at is there.
  [ "$start_again" = no ] || [ "${#up[@]}" -eq 0 ] || units start --no-block "${up[@]}"
  say "The new version and the data are kept, and dispatch is paused. Look into: journalctl --user -u $operator,"
  say "$binary status, and $work. Then go on with: $binary resume --config $config"
  exit 3
}

put_back() {
  local what=$1
  shift
  "$@" && return 0
  note "NOT put back: $what"
  whole=no
}

sources_back() {
  if [ "$kind" = git ]; then git -C "$repo" reset --quiet --hard "$old"; else
    rsync -a --delete "${KEEP[@]}" "$work/sources/" "$repo/"
  fi
}

binary_back() { cp -p --reflink=auto "$work/agent-runtime" "$binary.back" && mv -f "$binary.back" "$binary"; }

data_back() {
  # The old version can use what it can open; only a newer schema needs the backup.
  runtime status >/dev/null 2>&1 && return 0
  note "the schema is newer than this version: putting the backup back"
  runtime restore --from "$saved" >"$work/restored.json" && note "$(field kept <"$work/restored.json") has what was there"
}

services_back() {
  # What waited for its turn waits again.
  [ "${#waiting[@]}" -eq 0 ] || units start --no-block "${waiting[@]}"
  [ "${#up[@]}" -gt 0 ] || return 0
  units reset-failed "${up[@]}" 2>/dev/null
  start "${up[@]}"
}

go_back() {
  say "going back to $old_version"
  whole=yes
  stop_all || note 'a unit does not stop'
  if [ "$opened" = yes ] && ! program=$work/agent-runtime runtime status >/dev/null 2>&1; then
    local count
    count=$(acknowledged_since_backup) || count=unknown
    [ "$count" = 0 ] || [ "$count" = unknown ] ||
      held_at "not gone back: $count changes were acknowledged after the backup, and would be lost."
  fi
  [ "$synced" = no ] || put_back sources sources_back
  [ "$rebuilt" = no ] || put_back "$binary" binary_back
  [ "$opened" = no ] || put_back "the database (backup: $saved)" data_back
  put_back services services_back
  put_back 'dispatch, which is paused' open_again
  if [ "$whole" = no ]; then
    say "Going back did not work in full; everything that is needed lies in $work"
    exit 4
  fi
  say "All is as it was before. The log and the backup: $work"
  exit 1
}

perform() {
  local verb=$1 began=$SECONDS
  [ "$verb" != test ] || verb=try_out
  number=$((number + 1))
  say "[$number/${#STEPS[@]}] $1"
  if "$verb"; then note "ok, $((SECONDS - began)) s"; return 0; fi
  say "FAILED: $1, after $((SECONDS - began)) s"
  [ "$api_open" = no ] || held_at 'The API was open already, so nothing is taken back.'
  go_back
}

update() {
  mkdir -p -m 700 "$updates" || refuse "no folder can be made at $updates"
  exec 9>>"$updates/lock"
  flock -n 9 || refuse 'another update is at work on this host'
  work=$updates/$agent-$(date -u +%Y%m%dT%H%M%SZ)-$$
  mkdir -m 700 "$work" || refuse "no folder can be made in $updates"
  # The log is whole even when nobody reads along any more.
  trap '' HUP PIPE
  exec > >(exec tee -p -a "$work/log" 9>&-) 2>&1
  look
  trap 'say "stopped by a signal"; trap "" INT TERM; [ "$api_open" = no ] || held_at "The API was open already."; go_back' INT TERM
  local step
  for step in "${STEPS[@]}"; do perform "$step"; done
  open_again || held_at 'resume failed.'
  say "done: $("$binary" --version) ($target)"
  [ "$start_again" = yes ] || [ "${#up[@]}" -eq 0 ] || say "Start it with: systemctl --user start ${up[*]}"
  # The backup stays, what it takes to build the old version again is in the sources' history.
  rm -rf "$work/agent-runtime" "$work/sources"
}

main() {
  local verb=$1
  shift
  place "$@"
  case "$verb" in
    kind) say "$kind" ;;
    receive) mkdir -p -m 700 "$incoming" && say "$incoming" ;;
    look)
      look
      say "would do: ${STEPS[*]}"
      ;;
    update) update ;;
  esac
}

main "$@" </dev/null
exit
