import { expect } from "bun:test"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Option } from "effect"
import { execStart } from "../../src/artifact/UnitProgram.ts"
import { needs } from "../support/needs.ts"
import { Systemd } from "../support/systemd.ts"

const ODD = [" ", "'", '"', "$", "$$HOME", "%h", "\\", "\t", ";", "=", "é", `a '"$%\\;b`]

needs("systemd")("systemd runs a program whose path a unit holds, whatever is in it", async () => {
  const systemd = await Systemd.start()
  if (systemd === undefined) throw new Error("systemd did not start")
  try {
    const units = join(systemd.folder, ".config/systemd/user")
    mkdirSync(units, { recursive: true })
    const told = join(systemd.folder, "told")
    const unit = (n: number) => `agent-runtime-odd-${n}.service`
    const paths = ODD.map((odd) => join(systemd.folder, `x${odd}y`, "program"))
    for (const [n, path] of paths.entries()) {
      mkdirSync(dirname(path))
      writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$0" "$*" >> ${told}\n`)
      chmodSync(path, 0o755)
      const line = Option.getOrThrow(execStart(path))
      writeFileSync(join(units, unit(n)), `[Service]\nType=oneshot\nExecStart=${line} serve\n`)
    }
    await systemd.run("systemctl", "daemon-reload")
    for (const n of paths.keys())
      expect(await systemd.run("systemctl", "start", unit(n))).toEqual({ code: 0, text: "" })
    expect(readFileSync(told, "utf8")).toBe(paths.map((path) => `${path}\nserve\n`).join(""))
  } finally {
    await systemd.end()
  }
})
