# Its grandchild lives on as an orphan; the one between them is gone at once.
( ( sh -c 'echo $$ >> "$PIDS"; exec sleep 300' >/dev/null 2>&1 & ) & )
while [ ! -s "$PIDS" ]; do :; done
