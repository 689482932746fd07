# Keeps forking while it is being ended: each generation has a session of its own and ignores SIGTERM.
trap '' TERM
[ "${1:-0}" -eq 0 ] && echo ready
if [ "${1:-0}" -lt 200 ]; then
  sleep 0.01
  /usr/bin/setsid sh "$0" $((${1:-0} + 1)) &
fi
sleep 300
