# Prints every byte value, in order, to stdout.
i=0
while [ $i -lt 256 ]; do printf "\\$(printf '%03o' $i)"; i=$((i + 1)); done
