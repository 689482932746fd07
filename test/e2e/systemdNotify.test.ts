import { expect } from "bun:test"
import type { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { Systemd } from "../support/systemd.ts"
import { inPlace, queue, scripted } from "./inPlace.ts"

const UNIT = "agent-runtime-test"
const LIMIT_MS = 30_000

/** Runs a body beside a service manager; `start` answers when the unit is said to be ready, `ended` when it is gone. */
const underSystemd = (body: (place: Place, systemd: Systemd) => Promise<void>) =>
  inPlace(scripted("echo ready > fifo; sleep 60"), async (place) => {
    const systemd = await Systemd.start()
    if (systemd === undefined) throw new Error("systemd did not start")
    try {
      await body(place, systemd)
    } finally {
      await systemd.run("systemctl", "kill", "--signal=KILL", UNIT)
      await systemd.end()
    }
  })

/** Answers when `READY=1` was seen: the start of a `Type=notify` unit waits for it. */
const start = async (place: Place, systemd: Systemd, ...properties: ReadonlyArray<string>) => {
  const unit = ["Type=notify", "NotifyAccess=main", "TimeoutStartSec=10", "TimeoutStopSec=20", ...properties]
  const started = await systemd.run(
    "systemd-run",
    `--unit=${UNIT}`,
    `--working-directory=${place.folder}`,
    `--setenv=AGENT_RUNTIME_CONFIG=${place.path("runtime.json")}`,
    ...unit.flatMap((property) => ["-p", property]),
    place.program,
    "dispatch"
  )
  expect(started).toMatchObject({ code: 0 })
}

const STILL = ["deactivating", "active", "reloading"]

/** What systemd says of the unit's end; asked until it is over. */
const resultOf = async (systemd: Systemd): Promise<string> => {
  while (STILL.includes(await systemd.show(UNIT, "ActiveState"))) await Bun.sleep(50)
  return systemd.show(UNIT, "Result")
}

needs("systemd")(
  "systemd sees when the dispatcher is ready and what it does, and stops it clean",
  () =>
    underSystemd(async (place, systemd) => {
      Bun.spawnSync(["mkfifo", place.path("fifo")])
      await start(place, systemd, "RemainAfterExit=yes")
      expect(await systemd.show(UNIT, "ActiveState")).toBe("active")
      const pid = Number(await systemd.show(UNIT, "MainPID"))
      expect(await place.json(["status"])).toMatchObject({
        dispatcher: { held: true, runner_id: expect.stringContaining(`:${pid}:`) }
      })
      const begun = Bun.file(place.path("fifo")).text()
      const id = await queue(place)
      await begun
      expect(await systemd.show(UNIT, "StatusText")).toBe("1 running")
      await place.json(["task-cancel", "--force", id])
      while ((await systemd.show(UNIT, "StatusText")) !== "idle") await Bun.sleep(20)
      await systemd.run("systemctl", "stop", UNIT)
      expect(await resultOf(systemd)).toBe("success")
    }),
  LIMIT_MS
)

needs("systemd")(
  "systemd's watchdog kills a dispatcher that hangs, and lets one that works live on",
  () =>
    underSystemd(async (place, systemd) => {
      await start(place, systemd, "WatchdogSec=1", "TimeoutAbortSec=1", "TimeoutStopSec=1")
      // Longer than the watchdog waits: signs of life came.
      await Bun.sleep(2_500)
      expect(await systemd.show(UNIT, "ActiveState")).toBe("active")
      process.kill(Number(await systemd.show(UNIT, "MainPID")), "SIGSTOP")
      expect(await resultOf(systemd)).toBe("watchdog")
    }),
  LIMIT_MS
)
