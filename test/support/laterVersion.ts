import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dir, "../..")
const PARTS = ["src", "layers", "config", "fixtures", "deploy", "package.json", "bun.lock", "tsconfig.json"]

const replace = (file: string, from: string, to: string) => {
  const text = readFileSync(file, "utf8")
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
  writeFileSync(file, text.replace(from, to))
}

/** Compiles a later version of the program, 9.9.9, whose schema is one migration further. */
export const laterVersion = async () => {
  const folder = mkdtempSync(join(tmpdir(), "agent-runtime-later-"))
  for (const part of PARTS) cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  replace(join(folder, "package.json"), '"version": "0.1.0"', '"version": "9.9.9"')
  replace(
    join(folder, "layers/store/Migrations.ts"),
    '{ id: 1, name: "init", sql: init }',
    '{ id: 1, name: "init", sql: init }, { id: 2, name: "later", sql: "CREATE TABLE later (id INTEGER) STRICT" }'
  )
  const made = Bun.spawnSync(["node", "deploy/scripts/build.mjs"], { cwd: folder, stdin: "ignore" })
  if (made.exitCode !== 0) throw new Error(`${made.stdout}${made.stderr}`)
  return {
    program: join(folder, "dist/agent-runtime"),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
