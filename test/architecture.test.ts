import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { type Source, violations, withoutComments } from "./support/Architecture.ts"

const root = join(import.meta.dir, "..")

const globs = ["src/**/*.{ts,tsx}", "layers/**/*.{ts,sql}", "deploy/scripts/**/*.mjs", "test/**/*.ts"]

const project = (): Promise<ReadonlyArray<Source>> =>
  Promise.all(
    globs
      .flatMap((glob) => [...new Bun.Glob(glob).scanSync(root)])
      // Other people's: what the bench installs below test/bench/peers.
      .filter((path) => !path.includes("/node_modules/"))
      .sort()
      .map(async (path) => ({ path, text: await Bun.file(join(root, path)).text() }))
  )

const complaints = (path: string, text: string) => violations([{ path, text }])

describe("the project", () => {
  test("keeps every rule of its architecture", async () => {
    const sources = await project()
    expect(sources.length).toBeGreaterThan(30)
    expect(violations(sources)).toEqual([])
  })
})

const caught: ReadonlyArray<readonly [rule: string, path: string, text: string, says: string]> = [
  [
    "a folder that imports a later one",
    "src/domain/Task.ts",
    'import { Store } from "../store/Store.ts"',
    "domain/ comes before store/"
  ],
  [
    "a type import of a later folder",
    "src/store/Store.ts",
    'import type { Verdict } from "../evidence/Verdict.ts"',
    "store/ comes before evidence/"
  ],
  [
    "an import over several lines",
    "src/config/A.ts",
    'import {\n  type B,\n  C\n} from "../cli/C.ts"',
    "config/ comes before cli/"
  ],
  [
    "a dynamic import of a later folder",
    "src/config/A.ts",
    'const b = await import("../dispatch/B.ts")',
    "config/ comes before dispatch/"
  ],
  [
    "an inline type import",
    "src/config/A.ts",
    'type B = import("../http/B.ts").B',
    "config/ comes before http/"
  ],
  ["an import for its effect", "src/config/A.ts", 'import "../http/B.ts"', "config/ comes before http/"],
  [
    "a pure folder that reaches for intake",
    "src/workflow/Machine.ts",
    'import { enqueue } from "../intake/Enqueue.ts"',
    "workflow/ comes before intake/"
  ],
  [
    "a file of src that imports layers",
    "src/dispatch/Lock.ts",
    'import { layer } from "../../layers/lock/KernelLock.ts"',
    "only the entry points import layers/"
  ],
  [
    "a source that imports a test",
    "src/dispatch/Lock.ts",
    'import { a } from "../../test/support/a.ts"',
    "nothing outside itself"
  ],
  [
    "an import of an entry point",
    "src/operate/A.ts",
    'import { a } from "../cli.ts"',
    "nobody imports an entry point"
  ],
  ["a folder that is not in the order", "src/services/A.ts", "export const a = 1", "src/ holds"],
  ["a file beside the entry points", "src/main.ts", "export const a = 1", "src/ holds"],
  ["a node module in src", "src/artifact/A.ts", 'import { readFileSync } from "node:fs"', "imports node:fs"],
  ["bun in src", "src/artifact/A.ts", 'import { spawn } from "bun"', "imports bun"],
  ["bun's SQLite in src", "src/store/A.ts", 'import { Database } from "bun:sqlite"', "imports bun:sqlite"],
  [
    "@effect/sql in src",
    "src/store/A.ts",
    'import * as SqlClient from "@effect/sql/SqlClient"',
    "imports @effect/sql/SqlClient"
  ],
  [
    "@effect/platform-bun in src",
    "src/cli/A.ts",
    'import { BunContext } from "@effect/platform-bun"',
    "imports @effect/platform-bun"
  ],
  [
    "@effect/platform outside http and cli",
    "src/artifact/A.ts",
    'import { FileSystem } from "@effect/platform"',
    "only http/ and cli/ may"
  ],
  ["@effect/cli outside cli", "src/http/A.ts", 'import { Command } from "@effect/cli"', "only cli/ may"],
  ["a package nobody agreed on", "src/domain/A.ts", 'import _ from "lodash"', "imports lodash"],
  [
    "another package than effect in domain",
    "src/domain/A.ts",
    'import { canonicalize } from "canonicalize"',
    "imports canonicalize"
  ],
  [
    "a layer that imports an operation",
    "layers/Live.ts",
    'import { state } from "../src/operate/State.ts"',
    "layers/ never imports operate/"
  ],
  [
    "a layer that imports the API",
    "layers/store/A.ts",
    'import type { A } from "../../src/http/Api.ts"',
    "layers/ never imports operate/, http/"
  ],
  [
    "a layer that imports a command",
    "layers/store/A.ts",
    'import { a } from "../../src/cli/Input.ts"',
    "layers/ never imports"
  ],
  [
    "a layer that imports an entry point",
    "layers/store/A.ts",
    'import { a } from "../../src/cli.ts"',
    "layers/ never imports"
  ],
  [
    "a page that imports the server",
    "src/page/App.tsx",
    'import { server } from "../http/Server.ts"',
    "the page imports only itself"
  ],
  [
    "a page that imports more than types of the client",
    "src/page/App.tsx",
    'import { client } from "../http/Client.ts"',
    "the page imports only itself"
  ],
  ["a process global in src", "src/config/A.ts", "const home = process.env.HOME", "uses process.env"],
  ["a Bun global in src", "src/config/A.ts", 'const text = Bun.file("a")', "uses Bun.file"],
  ["Date.now", "layers/store/A.ts", "const at = Date.now()", "reads the clock (Date.now)"],
  ["Date.now handed on", "src/store/A.ts", "const at = clock(Date.now)", "reads the clock (Date.now)"],
  [
    "a new Date of now",
    "layers/store/A.ts",
    "const at = new Date().toISOString()",
    "reads the clock (new Date()"
  ],
  [
    "performance.now",
    "layers/store/A.ts",
    "const at = performance.now()",
    "reads the clock (performance.now)"
  ],
  [
    "Bun's nanoseconds",
    "layers/store/A.ts",
    "const at = Bun.nanoseconds()",
    "reads the clock (Bun.nanoseconds)"
  ],
  [
    "a clock read in SQL text",
    "layers/store/A.ts",
    "const sql = `SELECT datetime('now')`",
    "reads the clock (datetime('now'"
  ],
  [
    "a clock read in a migration",
    "layers/store/migrations/0001_a.sql",
    "CREATE TABLE a (at TEXT DEFAULT CURRENT_TIMESTAMP)",
    "reads the clock (CURRENT_TIMESTAMP)"
  ],
  ["an interval", "layers/store/A.ts", "setInterval(() => tick(), 5)", "reads the clock (setInterval("],
  ["a default export", "src/domain/A.ts", "export default { a: 1 }", "has a default export"],
  [
    "a renamed default export",
    "layers/lock/A.ts",
    "const a = 1\nexport { a as default }",
    "has a default export"
  ],
  ["a barrel", "src/domain/Words.ts", 'export * from "./Task.ts"', "is a barrel"],
  ["a re-export", "src/domain/Words.ts", 'export { Task } from "./Task.ts"', "is a barrel"],
  ["a re-export of types", "src/domain/Words.ts", 'export type { Task } from "./Task.ts"', "is a barrel"],
  ["an index file", "layers/store/index.ts", "export const a = 1", "is a barrel"],
  ["a file of leftovers", "layers/store/utils.ts", "export const a = 1", "named after its noun"],
  [
    "an import without extension",
    "layers/store/A.ts",
    'import { b } from "./B"',
    "./B without its extension"
  ],
  ["a source of 301 lines", "src/domain/A.ts", "a\n".repeat(301), "has 301 lines, 300 are the most"],
  ["a script of 301 lines", "deploy/scripts/a.mjs", "a\n".repeat(301), "has 301 lines"],
  ["a test of 501 lines", "test/domain/A.test.ts", "a\n".repeat(501), "has 501 lines, 500 are the most"]
]

describe("the architecture test catches", () => {
  for (const [rule, path, text, says] of caught)
    test(rule, () => {
      const found = complaints(path, text)
      expect(found.join("\n")).toContain(says)
      expect(found).toHaveLength(1)
    })

  test("a client that reaches the dispatcher through another file", () => {
    const sources = [
      { path: "src/http/Client.ts", text: 'import { Api } from "./Api.ts"' },
      { path: "src/http/Api.ts", text: 'import type { A } from "../operate/A.ts"' },
      { path: "src/operate/A.ts", text: 'import { b } from "../dispatch/B.ts"' },
      { path: "src/dispatch/B.ts", text: "export const b = 1" }
    ]
    expect(violations(sources)).toEqual(["src/http/Client.ts pulls in src/dispatch/B.ts"])
  })
})

const allowed: ReadonlyArray<readonly [what: string, path: string, text: string]> = [
  [
    "imports of earlier folders and of itself",
    "src/intake/A.ts",
    'import { a } from "../domain/A.ts"\nimport { b } from "./B.ts"'
  ],
  [
    "entry points that import layers",
    "src/cli.ts",
    'import { a } from "../layers/Live.ts"\nimport { BunRuntime } from "@effect/platform-bun"\nprocess.exit(0)'
  ],
  [
    "layers that touch the world",
    "layers/store/A.ts",
    'import { Database } from "bun:sqlite"\nimport { b } from "../../src/store/B.ts"\nconst home = process.env.HOME'
  ],
  ["the platform in http and cli", "src/http/A.ts", 'import { HttpApi } from "@effect/platform"'],
  [
    "types of the client in the page",
    "src/page/App.tsx",
    'import type { Client } from "../http/Client.ts"\nimport { h } from "preact"\nconst at = Date.now()'
  ],
  [
    "forbidden words in comments",
    "src/domain/A.ts",
    '// import "node:fs"; Date.now()\n/* export default 1, process.env */\nexport const a = 1'
  ],
  [
    "a date made of a given time",
    "src/domain/A.ts",
    "const day = new Date(Date.UTC(2026, 1, 1)).getUTCDate()"
  ],
  ["fields that are named like globals", "src/domain/A.ts", "const a = record.process.pid"],
  [
    "embedded text",
    "layers/store/A.ts",
    'import sql from "./migrations/0001_init.sql" with { type: "text" }'
  ],
  [
    "the demonstration's data in a command",
    "src/cli/Demo.ts",
    'import event from "../../fixtures/event.json"'
  ],
  ["a source of 300 lines", "src/domain/A.ts", "a\n".repeat(300)]
]

describe("the architecture test allows", () => {
  for (const [what, path, text] of allowed) test(what, () => expect(complaints(path, text)).toEqual([]))
})

describe("comments are taken out", () => {
  test("of code with addresses, regular expressions and templates in it", () => {
    const code =
      "const a = 'http://x' // one\nconst b = /[/*'\"]/g.test(c) /* two */ || d / e / f\nconst g = `// h`"
    expect(withoutComments(code).replace(/ +/g, " ")).toBe(
      "const a = 'http://x' \nconst b = /[/*'\"]/g.test(c) || d / e / f\nconst g = `// h`"
    )
  })
})
