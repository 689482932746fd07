import { expect, setDefaultTimeout, test } from "bun:test"
import { chmod, mkdir, readdir, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { binary } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { bare, errorOf, inPlace, queue, runOnce, withoutOverride } from "./inPlace.ts"

setDefaultTimeout(60_000)

const PATH = "/usr/bin:/bin"
const intent = JSON.stringify({ kind: "note", source: "e2e", payload: {} })

const named = (runtimeName: string, more: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({
    runtimeName,
    runtimePolicy: "p",
    defaultProfile: "plain",
    defaultAdapter: "local",
    profiles: { plain: "plain.json" },
    adapters: { local: { mode: "script", command: "/bin/echo", extraArgs: ["done"] } },
    ...more
  })

const profile = JSON.stringify({ profile_id: "plain", style: "codex-like", role: "worker" })

test("--config goes before AGENT_RUNTIME_CONFIG, which goes before config/runtime.json", () =>
  inPlace({}, async (place) => {
    for (const name of ["config", "variable", "option"]) {
      await place.write(`${name}/runtime.json`, named(name))
      await place.write(`${name}/plain.json`, profile)
    }
    const name = async (env: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) => {
      const told = await bare(place.program, ["status", ...args], {
        cwd: place.folder,
        env: { PATH, ...env }
      })
      return JSON.parse(told.stdout).runtime_name
    }
    const variable = { AGENT_RUNTIME_CONFIG: "variable/runtime.json" }
    expect(await name({})).toBe("config")
    expect(await name({ AGENT_RUNTIME_CONFIG: "" })).toBe("config")
    expect(await name(variable)).toBe("variable")
    expect(await name(variable, "--config", "option/runtime.json")).toBe("option")
    // Each has its state beside its own file, wherever the command was typed.
    expect((await readdir(place.folder)).sort()).not.toContain("state")
    for (const one of ["config", "variable", "option"])
      expect(await readdir(place.path(one))).toContain("state")
  }))

test("a missing file names the path that was tried and how to make one", () =>
  inPlace({}, async (place) => {
    const cwd = place.path("nowhere")
    await mkdir(cwd)
    const told = await bare(place.program, ["status", "-o", "json"], { cwd, env: { PATH } })
    expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 2, stdout: "" })
    expect(errorOf(told)).toEqual({
      error: `there is no configuration file at ${cwd}/config/runtime.json`,
      code: "config_missing",
      hint: "copying the example makes one: cp config/runtime.example.json config/runtime.json"
    })
    expect(await readdir(cwd)).toEqual([])
  }))

test("a child file wins over the one it extends, each file's paths from its own folder", () =>
  inPlace({}, async (place) => {
    await place.write("base/plain.json", profile)
    await place.write("base/run.sh", "#!/bin/sh\necho from the base\n")
    await place.write(
      "base/base.json",
      named("base", { maxAttempts: 7, adapters: { local: { mode: "script", command: "./run.sh" } } })
    )
    await place.write(
      "host/host.json",
      JSON.stringify({ extends: "../base/base.json", runtimeName: "host", stateDir: "own" })
    )
    const env = { AGENT_RUNTIME_CONFIG: place.path("host/host.json") }
    const id = await queue(place, {}, { env })
    expect(await place.json(["run-once"], { env })).toMatchObject({ operator_summary: "from the base" })
    expect(await place.json(["task-show", id], { env })).toMatchObject({ task: { max_attempts: 7 } })
    expect(await place.json(["status"], { env })).toMatchObject({ runtime_name: "host" })
    expect(await readdir(place.path("host"))).toEqual(["host.json", "own"])

    await place.write("host/loop.json", '{ "extends": "./host.json" }')
    await place.write("host/host.json", '{ "extends": "./loop.json" }')
    const cycle = await place.run(["status"], { env })
    expect(cycle.code).toBe(2)
    expect(cycle.stderr).toContain("host.json")
    expect(cycle.stderr).toContain("loop.json")
  }))

test("what lies in the working directory changes nothing: .env, bunfig.toml, tsconfig.json, package.json", () =>
  inPlace({}, async (place) => {
    await place.write("cwd/.env", "AGENT_RUNTIME_CONFIG=/nowhere.json\nUSER=mallory\n")
    await place.write("cwd/bunfig.toml", 'preload = ["./evil.ts"]\n')
    await place.write("cwd/evil.ts", 'require("fs").writeFileSync("evil-ran", "")')
    await place.write("cwd/tsconfig.json", "{{{")
    await place.write("cwd/package.json", "{{{")
    await place.write("cwd/config/runtime.json", named("found"))
    await place.write("cwd/config/plain.json", profile)
    const cwd = place.path("cwd")
    const told = await bare(place.program, ["intake", "--json", intent], { cwd, env: { PATH } })
    expect(told).toMatchObject({ code: 0, stderr: "" })
    const status = await bare(place.program, ["status"], { cwd, env: { PATH } })
    expect(JSON.parse(status.stdout)).toMatchObject({
      runtime_name: "found",
      last_event: { actor: { name: "operator" } }
    })
    expect(await readdir(cwd)).not.toContain("evil-ran")
  }))

test("folders with spaces and other letters work, without HOME, PATH and a language", () =>
  inPlace({}, async (place) => {
    const cwd = place.path("ein Ordner, ü 🙂 'quoted' $HOME")
    await mkdir(cwd)
    await Bun.write(join(cwd, "config", "runtime.json"), named("ü"))
    await Bun.write(join(cwd, "config", "plain.json"), profile)
    for (const args of [["intake", "--json", intent], ["run-once"], ["status"], ["healthcheck"]]) {
      const told = await bare(place.program, args, { cwd, env: {} })
      expect({ args, code: told.code, stderr: told.stderr }).toEqual({ args, code: 0, stderr: "" })
      if (args[0] === "run-once") expect(JSON.parse(told.stdout)).toMatchObject({ status: "completed" })
    }
  }))

test("the state's folders are 0700 and its files 0600, whatever the umask", () =>
  inPlace({}, async (place) => {
    const under = (umask: string) => ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"]
    for (const umask of ["0", "0777"]) {
      await rm(place.state, { recursive: true, force: true })
      await queue(place, { payload: { output_path: "deep/er/a.md" } }, { under: under(umask) })
      expect((await runOnce(place, { under: under(umask) })).status).toBe("completed")
      const wrong: Array<string> = []
      for (const name of ["", ...(await readdir(place.state, { recursive: true }))]) {
        const one = await stat(join(place.state, name))
        const mode = (one.mode & 0o777).toString(8)
        if (mode !== (one.isDirectory() ? "700" : "600")) wrong.push(`${name} ${mode}`)
      }
      expect([umask, wrong]).toEqual([umask, []])
    }
  }))

test("an argument that is no UTF-8 is refused as it is on stdin, and one with U+FFFD is taken", () =>
  inPlace({}, async (place) => {
    const given = (bytes: string) => [
      "sh",
      "-c",
      `exec "$@" --json "$(printf '{"kind":"k${bytes}","source":"s","payload":{}}')"`,
      "sh"
    ]
    const refused = await place.run(["intake"], { under: given("\\377") })
    expect([refused.code, refused.stdout]).toEqual([2, ""])
    expect(refused.stderr).toMatch(/^agent-runtime: the argument ".*" is not UTF-8 text; give it in UTF-8\n/)
    const taken = await place.run(["intake"], { under: given("\\357\\277\\275") })
    expect([taken.code, taken.stderr]).toEqual([0, ""])
  }))

needs("setpriv")(
  "a store that can only be read is no healthy one, and all that has to be opened up is named",
  () =>
    inPlace({}, async (place) => {
      await place.json(["status"])
      const under = withoutOverride
      const db = place.path("state", "runtime.db")
      const health = async () => {
        const told = await place.run(["healthcheck"], { under })
        return { code: told.code, problems: JSON.parse(told.stdout).store.problems.join() }
      }
      await chmod(db, 0o444)
      await place.run(["status"], { under })
      expect(await health()).toMatchObject({
        code: 1,
        problems: expect.stringContaining(`chmod u+rwX ${dirname(db)} ${db} ${db}-wal ${db}-shm`)
      })
      // The files beside it were made with its rights.
      await chmod(db, 0o600)
      expect((await health()).problems).toContain("cannot be written")
      const refused = await place.run(["intake", "--json", intent], { under })
      expect(refused.code).toBe(3)
      expect(refused.stderr).toContain(`${db}-shm`)
      for (const suffix of ["-wal", "-shm"]) await chmod(db + suffix, 0o600)
      expect((await place.run(["intake", "--json", intent], { under })).code).toBe(0)
    })
)

needs("setpriv")("what may not be written is said by exit code 3 and what to check", () =>
  inPlace({}, async (place) => {
    await place.json(["status"])
    const under = withoutOverride
    await chmod(place.path("state", "runtime.db"), 0o400)
    await chmod(place.state, 0o500)
    try {
      for (const args of [["intake", "--json", intent], ["run-once"]]) {
        const told = await place.run(args, { under })
        expect({ args, code: told.code, stdout: told.stdout }).toEqual({ args, code: 3, stdout: "" })
        expect(told.stderr).toContain("cannot be written")
        expect(told.stderr).toContain("must be able to write the folder")
      }
      const health = await place.run(["healthcheck"], { under })
      expect(health.code).toBe(1)
      expect(JSON.parse(health.stdout).store.problems).toEqual([expect.stringContaining("cannot be written")])
    } finally {
      await chmod(place.state, 0o700)
    }
  })
)

needs("setpriv")("a state folder that may not be entered is said by exit code 3 and what opens it up", () =>
  inPlace({}, async (place) => {
    await place.json(["status"])
    const under = withoutOverride
    await chmod(place.state, 0o000)
    try {
      const wrong = `this user may not enter ${place.state} (EACCES)`
      for (const args of [["status"], ["intake", "--json", intent], ["run-once"]]) {
        const told = await place.run(args, { under })
        expect({ args, code: told.code, stdout: told.stdout }).toEqual({ args, code: 3, stdout: "" })
        expect(told.stderr).toContain(wrong)
        expect(told.stderr).toContain(`chmod u+rwx ${place.state} (or chown it)`)
      }
      const health = await place.run(["healthcheck"], { under })
      expect(health.code).toBe(1)
      expect(JSON.parse(health.stdout)).toMatchObject({
        ok: false,
        store: { ok: false, problems: [expect.stringContaining(wrong)] }
      })
    } finally {
      await chmod(place.state, 0o700)
    }
  })
)

test("a process that may open too few files is told by exit code 3 and the limit to raise", () =>
  inPlace({}, async (place) => {
    await place.json(["status"])
    const told: Array<{ readonly code: number | null; readonly stderr: string }> = []
    for (const most of [6, 7, 8, 9]) {
      const under = ["sh", "-c", `ulimit -n ${most}; exec "$@"`, "sh"]
      for (const args of [["status"], ["run-once"]]) told.push(await place.run(args, { under }))
      const health = await place.run(["healthcheck"], { under })
      expect({ most, stderr: health.stderr }).toEqual({ most, stderr: "" })
      const { ok, store } = JSON.parse(health.stdout)
      if (!ok) expect(store.problems.join()).toContain("(EMFILE)")
    }
    const failed = told.filter(({ code }) => code !== 0)
    expect(failed.length).toBeGreaterThan(0)
    for (const { code, stderr } of failed) {
      expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining("LimitNOFILE") })
      expect(stderr).toMatch(/^agent-runtime: the (store|lock file|evidence) .*EMFILE.*\n.*\n$/)
    }
  }))

needs("setpriv")("a working directory that may not be written is no hindrance", () =>
  inPlace({}, async (place) => {
    const cwd = place.path("locked")
    await mkdir(cwd, { mode: 0o500 })
    const env = { PATH, AGENT_RUNTIME_CONFIG: "../runtime.json" }
    for (const args of [["intake", "--json", intent], ["run-once"]])
      expect(await bare(place.program, args, { cwd, env, under: withoutOverride })).toMatchObject({ code: 0 })
    expect(await readdir(cwd)).toEqual([])
  })
)

test("every folder that the configuration names is made, and the log is a JSON object a line with its ids", () =>
  inPlace(
    {
      config: {
        stateDir: "s/tate",
        dbPath: "d/b/runtime.db",
        lockPath: "l/ock/dispatch.lock",
        logDir: "l/og",
        artifactDir: "a/rtifacts"
      }
    },
    async (place) => {
      const task_id = await queue(place)
      expect(await runOnce(place)).toMatchObject({ status: "completed" })
      for (const made of ["s/tate", "d/b", "l/ock", "l/og", "a/rtifacts"])
        expect((await stat(place.path(made))).mode & 0o777).toBe(0o700)
      expect(await readdir(place.path("s/tate"))).toEqual([])
      const lines = (await Bun.file(place.path("l/og/runtime.jsonl")).text()).trimEnd().split("\n")
      expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining({ task_id }))
    }
  ))

test("a configuration that cannot be read is an error of the configuration", async () => {
  const program = await binary()
  for (const path of ["/dev/null", "/", "/dev/null/x.json"]) {
    const told = await bare(program, ["status", "--config", path], { cwd: "/", env: { PATH } })
    expect({ path, code: told.code, stdout: told.stdout }).toEqual({ path, code: 2, stdout: "" })
    expect(told.stderr).toContain(path)
  }
})
