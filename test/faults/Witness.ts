import { existsSync, readFileSync } from "node:fs"

/** A line that a script wrote about itself: the order of the lines is the order of the happenings. */
export interface Sighting {
  readonly what: "start" | "end" | "overlap"
  readonly taskId: string
  readonly attemptId: string
}

/** Name of the witness file in the state folder. */
export const WITNESS = "witness.log"

/**
 * A script adapter that tells on the dispatcher: it appends a line to the witness file when it starts and
 * one when it ends (O_APPEND, one write each), and one when an earlier attempt of its task is still alive.
 * Between the lines it runs `work`.
 */
export const witnessScript = (work = ":"): string => `#!/bin/sh
witness="$AGENT_RUNTIME_STATE_DIR/${WITNESS}"
say() { printf '%s %s %s %s\\n' "$1" "$AGENT_RUNTIME_TASK_ID" "$AGENT_RUNTIME_ATTEMPT_ID" "$$" >> "$witness"; }
is_alive() { tr '\\0' '\\n' < "/proc/$1/environ" 2>/dev/null | grep -qx "AGENT_RUNTIME_ATTEMPT_ID=$2"; }
if [ -f "$witness" ]; then
  while read -r what task attempt pid; do
    if [ "$what" = start ] && [ "$task" = "$AGENT_RUNTIME_TASK_ID" ] && is_alive "$pid" "$attempt"; then say overlap; fi
  done < "$witness"
fi
say start
${work}
say end
echo "worked on $AGENT_RUNTIME_TASK_ID"
`

/** The sightings in the witness file; none when no script ran. */
export const sightings = (file: string): ReadonlyArray<Sighting> => {
  if (!existsSync(file)) return []
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => {
      const [what, taskId = "", attemptId = ""] = line.split(" ")
      return what === "start" || what === "end" || what === "overlap" ? [{ what, taskId, attemptId }] : []
    })
}

/** Runs of one task that overlapped, a sentence each. */
export const overlaps = (seen: ReadonlyArray<Sighting>): ReadonlyArray<string> => {
  const latest = new Map<string, string>()
  return seen.flatMap(({ what, taskId, attemptId }) => {
    if (what === "overlap")
      return [`attempt ${attemptId} of task ${taskId} started while an earlier one was alive`]
    if (what === "start") {
      const again = latest.get(taskId) === attemptId
      latest.set(taskId, attemptId)
      return again ? [`attempt ${attemptId} of task ${taskId} was run twice`] : []
    }
    return latest.get(taskId) === attemptId
      ? []
      : [
          `attempt ${attemptId} of task ${taskId} still worked after attempt ${latest.get(taskId)} had started`
        ]
  })
}
