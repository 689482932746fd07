import { setTimeout as pause } from "node:timers/promises"
import { type Fault, type Rounded, struck } from "../Fault.ts"
import { between } from "../Random.ts"
import { Scene, statusOf, witnessAdapter } from "../Scene.ts"

const GIB = 1_073_741_824

/** The adapter is given so long by the habits that never end by themselves. */
const ENDLESS_MS = 1_000

/** Habits of children, with what their attempt may come to; those without an end are ended by the clock. */
const habits: ReadonlyArray<
  readonly [work: string, ends: ReadonlyArray<string>, howLong?: "without an end"]
> = [
  ["trap '' TERM INT HUP; sleep 40 & sleep 40", ["retryable_failure", "blocked"], "without an end"],
  ["env -i setsid sleep 40 >/dev/null 2>&1 & ( ( setsid sleep 40 & ) & ) >/dev/null 2>&1", ["completed"]],
  ["exec >&- 2>&- <&-; sleep 0.1", ["completed", "retryable_failure"]],
  ["setsid sleep 40 & echo done", ["completed"]],
  [`head -c ${GIB} /dev/zero; head -c 100000000 /dev/zero >&2`, ["completed"]],
  ["i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf '%03o' $i)\"; i=$((i + 1)); done", ["completed"]],
  ["n=0; while [ $n -lt 150 ]; do (trap '' TERM; exec setsid sleep 40) & n=$((n + 1)); done", ["completed"]],
  ["kill -SEGV $$", ["retryable_failure", "blocked"]],
  [
    "trap '' TERM; while :; do (trap '' TERM; exec setsid sleep 40) & sleep 0.02; done",
    ["retryable_failure", "blocked"],
    "without an end"
  ],
  [
    "fork() { trap '' TERM; [ $1 -eq 0 ] || { fork $(($1 - 1)) & fork $(($1 - 1)) & }; sleep 0.3; exec setsid sleep 40; }; (fork 7)",
    ["retryable_failure", "blocked"],
    "without an end"
  ],
  // One that is never the same: each begins the next and ends.
  [
    'export RELAY=\'sleep 0.01; setsid sh -c "$RELAY" >/dev/null 2>&1 &\'; setsid sh -c "$RELAY" >/dev/null 2>&1 &',
    ["completed"]
  ],
  ["exec </dev/null; while :; do echo y; done", ["retryable_failure", "blocked"], "without an end"],
  ["head -c 3000000 /dev/zero | tr '\\0' 'x'; echo >&2 end; exit 3", ["retryable_failure", "blocked"]]
]

/** Children with every bad habit: their attempt ends, nothing of them is left, and memory and disk stay bounded. */
export const badChildren: Fault = {
  name: "children that ignore signals, daemonise, close or hold stdio, flood, fork",
  needs: [],
  rounds: habits.length,
  sample: [5],
  found:
    "a daemon that begins another and ends, again and again, hid from the look for what is left and outlived its attempt; now one that ended during a look is a reason to look again",
  round: async ({ keepAs, number }) => {
    const [work, ends, howLong] = habits[number % habits.length] ?? ["", []]
    const timeoutMs = howLong === undefined ? 60_000 : ENDLESS_MS
    const scene = await Scene.make(work, { config: { adapters: { local: witnessAdapter({ timeoutMs }) } } })
    let violations: ReadonlyArray<string> = []
    try {
      await scene.queue(1)
      const status = statusOf(await scene.start(["run-once"]).ended)
      violations = [
        ...(ends.includes(status) ? [] : [`after "${work}" the task is ${status}`]),
        ...scene.check()
      ]
      return struck(violations)
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}

/** The holder of the lock stands still, longer than anybody would wait for a sign of life. */
export const holderStopped: Fault = {
  name: "SIGSTOP of the lock holder",
  needs: [],
  rounds: 6,
  sample: [],
  found: "",
  round: async ({ keepAs, number, random }) => {
    const scene = await Scene.make("sleep 0.1")
    let violations: ReadonlyArray<string> = []
    try {
      await scene.queue(2)
      const dispatcher = scene.dispatch()
      await dispatcher.says(/"Dispatching/)
      await pause(between(random, 0, 600))
      dispatcher.kill("SIGSTOP")
      const late = performance.now() + (number === 0 ? 15_000 : 2_000)
      const said = new Set<string>()
      while (performance.now() < late) {
        said.add(statusOf(await scene.runOnce()))
        await scene.intake("while it stands still")
        await pause(200)
      }
      dispatcher.kill("SIGCONT")
      await pause(300)
      await dispatcher.end("SIGTERM")
      const others = [...said].filter((one) => one !== "dispatch_locked")
      violations = [
        ...(others.length === 0
          ? []
          : [`beside a holder that stands still a cycle said ${others.join(", ")}`]),
        ...(await scene.rest())
      ]
      return struck(violations)
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}

const limitsOf: ReadonlyArray<ReadonlyArray<string>> = [16, 24, 32, 48, 64, 128].map((files) => [
  "prlimit",
  `--nofile=${files}`
])

/** Few descriptors: a command says so or does its work; what it acknowledged holds. */
export const fewDescriptors: Fault = {
  name: "file descriptors capped",
  needs: ["prlimit"],
  rounds: limitsOf.length,
  sample: [0],
  found:
    "a child for which the host had no descriptor left blocked its task as an internal fault, with a stack on stderr; now the attempt is retryable and says what to raise. A queue was burnt through, some tasks for good; now a task waits for room, and fewer run at once",
  round: ({ keepAs, number }) => capped(limitsOf[number % limitsOf.length] ?? [], keepAs)
}

const capped = async (under: ReadonlyArray<string>, keepAs: string | undefined): Promise<Rounded> => {
  const scene = await Scene.make()
  let violations: ReadonlyArray<string> = []
  try {
    await scene.queue(1)
    await scene.intake("under a cap", { under })
    await scene.runOnce({ under })
    await scene.run(["task-list"], { under })
    violations = [...scene.check({ atRest: false }), ...(await scene.rest())]
    return { strikes: 3, violations }
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}

const group = (mib: number) =>
  `d=/sys/fs/cgroup/memory/agent-runtime-faults-$$; mkdir $d; echo ${mib * 1_048_576} > $d/memory.limit_in_bytes; echo 0 > $d/cgroup.procs; exec "$@"`

/** Little memory: the kernel kills what needs more; nothing acknowledged is lost. */
export const littleMemory: Fault = {
  name: "memory capped",
  needs: ["a memory limit"],
  rounds: 5,
  sample: [],
  found: "",
  round: async ({ keepAs, number }) => {
    const done = await capped(["sh", "-c", group([24, 48, 64, 96, 160][number % 5] ?? 64), "sh"], keepAs)
    for (const folder of new Bun.Glob("agent-runtime-faults-*").scanSync({
      cwd: "/sys/fs/cgroup/memory",
      onlyFiles: false
    }))
      Bun.spawnSync(["rmdir", `/sys/fs/cgroup/memory/${folder}`], { stderr: "ignore" })
    return done
  }
}
