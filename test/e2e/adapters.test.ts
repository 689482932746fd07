import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdir } from "node:fs/promises"
import { inPlace, queue, runOnce, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const local = { mode: "script", command: "/bin/echo", extraArgs: ["done"] }
const gone = { mode: "script", command: "./gone.sh" }

const rowsOf = (value: unknown) =>
  (value as { adapters: ReadonlyArray<Readonly<Record<string, unknown>>> }).adapters

test("adapters tells each one's settings and state, and with --probe whether it could run", () =>
  inPlace(
    {
      config: {
        adapters: { local, helped: { ...gone, fallbackAdapter: "local" } },
        dispatch: { adapterConcurrency: { local: 2 }, untrustedAdapters: ["local"] }
      }
    },
    async (place) => {
      const plain = {
        mode: "script",
        driver: null,
        model: null,
        workspace: "shared",
        autonomy: null,
        running: 0,
        cooldown: null
      }
      const own = { ...plain, id: "local", fallback: null, default: true, untrusted: true, concurrency: 2 }
      const helped = {
        ...plain,
        id: "helped",
        fallback: "local",
        default: false,
        untrusted: false,
        concurrency: null
      }
      expect(await place.json(["adapters"])).toEqual({ adapters: [own, helped] })

      const probed = await place.run(["adapters", "--probe"])
      expect([probed.code, probed.stderr]).toEqual([1, ""])
      expect(rowsOf(JSON.parse(probed.stdout))).toEqual([
        { ...own, ok: true, reason: "", remedy: "", problems: [], warnings: [] },
        {
          ...helped,
          ok: false,
          reason: expect.stringContaining("gone.sh"),
          remedy: expect.stringMatching(/./),
          problems: [expect.stringMatching(/gone\.sh is not there; ./)],
          warnings: []
        }
      ])
      const table = await place.run(["adapters", "-o", "table"])
      expect([table.code, table.stdout.split("\n")[1]]).toEqual([
        0,
        expect.stringMatching(/^local \(default\) +script +- +0 of 2 +yes +- +-$/)
      ])
    }
  ))

test("adapters --probe says yes with exit code 0 when all could run", () =>
  inPlace({}, async (place) => {
    expect(rowsOf(await place.json(["adapters", "--probe"]))).toMatchObject([{ id: "local", ok: true }])
  }))

test("an adapter that fails its probe is run by its fallback, and the history says which and why", () =>
  inPlace(
    { config: { adapters: { local, helped: { ...gone, fallbackAdapter: "local" } } } },
    async (place) => {
      const id = await queue(place, { requested_adapter: "helped" })
      expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: id })
      const { attempts, events } = await story(place, id)
      expect(attempts[0]?.adapter_id).toBe("local")
      expect(events.filter((event) => event.event_type === "adapter_fallback_used")).toMatchObject([
        {
          attempt_id: attempts[0]?.attempt_id,
          detail: {
            intended: "helped",
            used: "local",
            passed_over: [{ id: "helped", reason: expect.stringContaining("gone.sh") }]
          }
        }
      ])
    }
  ))

test("an adapter that fails its probe and has no fallback is tried all the same", () =>
  inPlace({ config: { adapters: { local, gone } } }, async (place) => {
    const id = await queue(place, { requested_adapter: "gone" })
    expect(await runOnce(place)).toMatchObject({ status: "permanent_failure", task_id: id })
    expect((await story(place, id)).attempts[0]?.adapter_id).toBe("gone")
  }))

const healthOf = (value: string) =>
  JSON.parse(value) as {
    ok: boolean
    config_issues: ReadonlyArray<string>
    adapters: ReadonlyArray<{ id: string; ok: boolean; warnings: ReadonlyArray<string> }>
    store: { ok: boolean }
  }

test("healthcheck warns of an adapter that cools down and stays ok; of a broken store it tells once", () =>
  inPlace(
    {
      config: { adapters: { local: { mode: "script", command: "./run.sh", retryHintService: "generic" } } },
      files: { "run.sh": "#!/bin/sh\necho 'try again in 3600 seconds'\nexit 1\n" }
    },
    async (place) => {
      const id = await queue(place)
      await runOnce(place)
      const until = (await story(place, id)).task.available_at
      const told = await place.run(["healthcheck"])
      expect(told.code).toBe(0)
      const [row] = healthOf(told.stdout).adapters
      expect(row?.warnings).toHaveLength(1)
      expect(row?.warnings[0]).toStartWith(`it cools down until ${until} (`)
      expect(row?.warnings[0]).toEndWith("; agent-runtime adapter-clear local ends that")
      await place.json(["adapter-clear", "local"])
      expect(healthOf((await place.run(["healthcheck"])).stdout).adapters[0]?.warnings).toEqual([])

      for (const end of ["", "-wal", "-shm"])
        await Bun.file(place.path(`state/runtime.db${end}`))
          .delete()
          .catch(() => 0)
      await place.write("state/runtime.db", "")
      const broken = await place.run(["healthcheck"])
      expect(broken.code).toBe(1)
      expect(healthOf(broken.stdout)).toMatchObject({ adapters: [{ ok: true }], store: { ok: false } })
    }
  ))

test("healthcheck names a log folder that cannot be used", () =>
  inPlace({ files: { "state/logs": "in the way" } }, async (place) => {
    const told = await place.run(["healthcheck"])
    expect(told.code).toBe(1)
    expect(healthOf(told.stdout).config_issues).toEqual([
      `logDir: no log is written: ${place.path("state/logs")} is not a folder; correct the path, or give this user the right to write there`
    ])
    await mkdir(place.path("elsewhere"))
    await place.write("state/other/runtime.jsonl/x", "in the way")
    const config = JSON.parse(await Bun.file(place.path("runtime.json")).text())
    await place.write("runtime.json", JSON.stringify({ ...config, logDir: "state/other" }))
    expect(healthOf((await place.run(["healthcheck"])).stdout).config_issues[0]).toContain(
      "runtime.jsonl is not a file"
    )
    await place.write("runtime.json", JSON.stringify({ ...config, logDir: "elsewhere" }))
    expect(healthOf((await place.run(["healthcheck"])).stdout)).toMatchObject({ ok: true, config_issues: [] })
  }))

test("healthcheck warns of what agents may do that nobody may have meant", () =>
  inPlace(
    {
      config: {
        adapters: {
          local,
          bold: { mode: "agent-cli", driver: "codex", command: "/bin/echo", autonomy: "trusted-vm" },
          shy: { mode: "agent-cli", driver: "codex", command: "/bin/echo" }
        }
      }
    },
    async (place) => {
      const { adapters } = healthOf((await place.run(["healthcheck"])).stdout)
      const warned = (id: string, what: string) =>
        adapters.find((one) => one.id === id)?.warnings.some((warning) => warning.includes(what))
      expect(warned("bold", "dispatch.untrustedAdapters is not set")).toBe(true)
      expect(warned("shy", "http.loopbackRole is operate")).toBe(true)
      expect(warned("local", "untrusted")).toBe(false)
    }
  ))
