import { expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { commandsOf } from "../deploy/documents.ts"
import { bare, inPlace } from "./inPlace.ts"

setDefaultTimeout(60_000)

const root = join(import.meta.dir, "../..")

test("the binary alone makes an agent that works, in any folder, and makes none over another", () =>
  inPlace({}, async (place) => {
    const cwd = place.path("an empty folder")
    await mkdir(cwd)
    const env = {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: place.folder,
      XDG_CONFIG_HOME: place.path("xdg")
    }
    const run = (args: ReadonlyArray<string>) => bare(place.program, args, { cwd, env })
    const told = async (args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await run(args)
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" })
      return JSON.parse(stdout)
    }
    const dry = await told(["agent-init", "ember", "--dry-run"])
    expect(existsSync(join(cwd, "deploy"))).toBe(false)
    expect(existsSync(place.path("xdg"))).toBe(false)
    const made = await told(["agent-init", "ember"])
    expect(made).toEqual({ ...dry, dry_run: false })
    expect(made.config).toBe(place.path("xdg/agent-runtime/runtime.ember.host.json"))

    // The commands that it prints, and those of its page, up to those of systemd.
    const page = commandsOf(readFileSync(join(made.package, "DEPLOY.md"), "utf8")).map(({ text }) => text)
    const printed: ReadonlyArray<string> = made.next
    const commands = [...printed, ...page].flatMap((text) => text.split("\n"))
    const script = commands.filter((line) => !/^(systemctl|loginctl) /.test(line)).join("\n")
    expect(script.match(/healthcheck/g)?.length).toBe(3)
    const child = Bun.spawn(["bash", "-euc", script], { cwd, env, stdout: "pipe", stderr: "pipe" })
    expect([await child.exited, await new Response(child.stderr).text()]).toEqual([0, ""])
    const example = join(made.package, "runtime.ember.host.example.json")
    expect((await told(["adapters", "--config", example])).adapters.length).toBe(3)
    const { tasks } = await told(["task-list", "--config", made.config])
    expect(tasks).toMatchObject([{ subject: "First light", status: "completed" }])

    const again = await run(["agent-init", "ember"])
    expect(again).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("nothing was written")
    })
    expect((await run(["agent-init", "../ember"])).code).toBe(2)
  }))

test("install-units puts the built-in units in their place, once", () =>
  inPlace({}, async (place) => {
    const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: place.folder }
    const run = (args: ReadonlyArray<string>) => bare(place.program, args, { cwd: place.folder, env })
    const change = async (args: ReadonlyArray<string>) => {
      const { code, stdout } = await run(args)
      expect({ args, code }).toEqual({ args, code: 0 })
      return [...new Set(JSON.parse(stdout).units.map((one: { change: string }) => one.change))]
    }
    expect(await change(["install-units"])).toEqual(["created"])
    expect(await change(["install-units"])).toEqual(["unchanged"])
    const unit = ".config/systemd/user/agent-runtime-dispatch@.service"
    const template = readFileSync(join(root, "deploy/systemd/agent-runtime-dispatch@.service"), "utf8")
    expect(readFileSync(place.path(unit), "utf8")).toBe(
      template.replace("%h/agent-runtime/dist/agent-runtime dispatch", () => `${place.program} dispatch`)
    )
    await place.write(unit, "mine\n")
    const refused = await run(["install-units"])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("--force replaces them") })
    expect(readFileSync(place.path(unit), "utf8")).toBe("mine\n")
    expect(await change(["install-units", "--force"])).toEqual(["unchanged", "replaced"])
    expect((await run(["install-units", "--user", "--system"])).code).toBe(2)
    expect(await change(["install-units", "--system", "--dry-run"])).toEqual(["created"])
  }))
