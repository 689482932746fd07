import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = mkdtempSync(join(tmpdir(), "agent-runtime-needs-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

writeFileSync(
  join(folder, "one.test.ts"),
  `import { needs } from ${JSON.stringify(join(import.meta.dir, "needs.ts"))}
needs("strace", "git")("traces", async () => console.log("it ran"))`
)

const run = async (env: Record<string, string>) => {
  const child = Bun.spawn([process.execPath, "test", "one.test.ts"], {
    cwd: folder,
    env,
    stdout: "pipe",
    stderr: "pipe"
  })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited
  ])
  return { code, ran: out.includes("it ran"), said: err }
}

describe("a test that needs a program which is missing", () => {
  test("is skipped, and its name says what it lacks", async () => {
    const { code, ran, said } = await run({ PATH: folder })
    expect({ code, ran }).toEqual({ code: 0, ran: false })
    expect(said).toContain("(skip) traces [needs strace, git]")
  })

  test("fails where CI is set", async () => {
    const { code, ran, said } = await run({ PATH: folder, CI: "true" })
    expect({ code, ran }).toEqual({ code: 1, ran: false })
    expect(said).toContain("strace and git must work where CI is set")
  })
})

test("a test whose needs are met runs", async () => {
  const file = join(folder, "two.test.ts")
  writeFileSync(
    file,
    `import { needs } from ${JSON.stringify(join(import.meta.dir, "needs.ts"))}
needs()("needs nothing", async () => console.log("it ran"))`
  )
  const child = Bun.spawn([process.execPath, "test", "two.test.ts"], {
    cwd: folder,
    env: { PATH: folder, CI: "true" },
    stdout: "pipe",
    stderr: "pipe"
  })
  expect(await new Response(child.stdout).text()).toContain("it ran")
  expect(await child.exited).toBe(0)
})
