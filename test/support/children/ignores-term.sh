# Ends by SIGKILL alone, and so does its child.
trap '' TERM INT HUP
sh -c 'trap "" TERM; while :; do sleep 1; done' &
echo $! $$ >> "$PIDS"
echo ready
while :; do sleep 1; done
