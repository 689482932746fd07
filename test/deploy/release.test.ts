import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { latest, MIGRATIONS } from "../../layers/store/Migrations.ts"

setDefaultTimeout(180_000)

const root = join(import.meta.dir, "..", "..")
const folder = join(root, "dist", "release")
const top = mkdtempSync(join(tmpdir(), "agent-runtime-release-"))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const run = async (cmd: ReadonlyArray<string>, cwd = root) => {
  const child = Bun.spawn([...cmd], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited
  ])
  return { code, out, err }
}

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")

test("a release is a binary that runs, an archive without what is this host's alone, and the sums of both", async () => {
  const secret = join(root, "config", "left-here.env")
  writeFileSync(secret, "TOKEN=x\n")
  try {
    const { version } = await Bun.file(join(root, "package.json")).json()
    const arch = process.arch
    const made = await run(["node", "deploy/scripts/release.mjs", "--only", arch])
    expect([made.err, made.code]).toEqual(["", 0])
    const [binary, archive] = [
      `agent-runtime-${version}-linux-${arch}`,
      `agent-runtime-${version}-deploy.tar.gz`
    ]
    expect(readdirSync(folder).sort()).toEqual(["SHA256SUMS", archive, binary].sort())
    expect(readFileSync(join(folder, "SHA256SUMS"), "utf8")).toBe(
      [binary, archive].map((name) => `${sha256(join(folder, name))}  ${name}\n`).join("")
    )
    const said = await run([join(folder, binary), "--version"], "/")
    expect(said.out).toBe(`agent-runtime ${version} (schema ${latest(MIGRATIONS)})\n`)
    const names = (await run(["tar", "-tzf", join(folder, archive)])).out.trim().split("\n")
    expect(names).toContain(`agent-runtime-${version}-deploy/config/runtime.example.json`)
    expect(names).toContain(`agent-runtime-${version}-deploy/README.md`)
    expect(names.filter((name) => /\.mjs$|\.env$|runtime\.json$/.test(name))).toEqual([])
    const first = sha256(join(folder, archive))
    await run(["node", "deploy/scripts/release.mjs", "--only", arch])
    expect(sha256(join(folder, archive))).toBe(first)
  } finally {
    rmSync(secret)
  }
})

test("a Bun for another architecture that is not the one of bun.lock is not used", async () => {
  const other = process.arch === "x64" ? "arm64" : "x64"
  const fakes = join(top, "bin")
  const kept = join(root, "dist", "runtimes")
  rmSync(kept, { recursive: true, force: true })
  mkdirSync(fakes)
  writeFileSync(join(fakes, "npm"), '#!/bin/sh\nfor last; do :; done\necho bad > "$last/bun.tgz"\n', {
    mode: 0o755
  })
  const child = Bun.spawn(["node", "deploy/scripts/release.mjs", "--only", other], {
    cwd: root,
    env: { ...process.env, PATH: `${fakes}:${process.env.PATH}` },
    stdout: "pipe",
    stderr: "pipe"
  })
  expect(await new Response(child.stderr).text()).toContain("is not what bun.lock says")
  expect(await child.exited).toBe(1)
  expect(readdirSync(kept)).toEqual([])
})

test("an option that is not known is told with what is", async () => {
  const { code, err } = await run(["node", "deploy/scripts/release.mjs", "--all"])
  expect([code, err]).toEqual([1, "release: found --all; expected nothing, or --only x64 | arm64.\n"])
})
