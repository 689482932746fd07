# A daemon that clears its environment and leaves group, session and parent at once.
env -i /usr/bin/setsid sh -c 'echo $$ >> "$1"; exec sleep 300' daemon "$PIDS" >/dev/null 2>&1 &
env -i /usr/bin/setsid --fork sh -c 'echo $$ >> "$1"; exec sleep 300' daemon "$PIDS" >/dev/null 2>&1
while [ "$(wc -l < "$PIDS" 2>/dev/null || echo 0)" -lt 2 ]; do :; done
