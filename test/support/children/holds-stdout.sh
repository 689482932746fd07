# Its daemon, which SIGTERM does not end, keeps stdout and stderr open.
/usr/bin/setsid sh -c 'trap "" TERM; echo $$ >> "$PIDS"; while :; do sleep 1; done' &
while [ ! -s "$PIDS" ]; do :; done
echo parent is done
