import { describe, expect, test } from "bun:test"
import { posix } from "node:path"
import { Effect, Either, FastCheck } from "effect"
import { ConfigInvalid } from "../../src/config/ConfigError.ts"
import { chain, fileOf, isRemoved, merge, plain, type SourceFile } from "../../src/config/Extends.ts"
import { absolute, configPath, folderOf, program } from "../../src/config/Paths.ts"

const file = (path: string, value: Readonly<Record<string, unknown>>): SourceFile => ({ path, value })

const merged = (...values: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  merge(values.map((value, index) => file(`/${index}.json`, value)))

describe("merging a chain", () => {
  test("the child wins key by key, maps merge by id, an adapter and a list are replaced whole", () => {
    const origin = merged(
      {
        runtimeName: "parent",
        profiles: { a: "a.json", b: "b.json" },
        adapters: {
          x: { mode: "script", command: "x", env: { A: "1" } },
          y: { mode: "script", command: "y" }
        },
        dispatch: { concurrency: 1, adapterConcurrency: { x: 1 } },
        skillDirs: ["one", "two"]
      },
      {
        profiles: { b: "other.json" },
        adapters: { x: { mode: "script", command: "z" } },
        dispatch: { drainSeconds: 5, adapterConcurrency: { y: 2 } },
        skillDirs: ["three"]
      }
    )
    expect(plain(origin)).toEqual({
      runtimeName: "parent",
      profiles: { a: "a.json", b: "other.json" },
      adapters: { x: { mode: "script", command: "z" }, y: { mode: "script", command: "y" } },
      dispatch: { concurrency: 1, drainSeconds: 5, adapterConcurrency: { x: 1, y: 2 } },
      skillDirs: ["three"]
    })
    expect(fileOf(origin, ["profiles", "a"])).toBe("/0.json")
    expect(fileOf(origin, ["profiles", "b"])).toBe("/1.json")
    expect(fileOf(origin, ["adapters", "y", "command"])).toBe("/0.json")
    expect(fileOf(origin, ["dispatch", "adapterConcurrency", "x"])).toBe("/0.json")
    expect(fileOf(origin, ["nowhere"])).toBe("/1.json")
  })

  test("null removes a key, and a later child can set it again", () => {
    const origin = merged(
      { maxAttempts: 5, http: { port: 1, host: "h" } },
      { maxAttempts: null, http: { host: null } }
    )
    expect(plain(origin)).toEqual({ http: { port: 1 } })
    expect(isRemoved(origin, ["maxAttempts"])).toBe(true)
    expect(isRemoved(origin, ["http", "host"])).toBe(true)
    expect(isRemoved(origin, ["http", "port"])).toBe(false)
    expect(plain(merged({ a: 1 }, { a: null }, { a: 2 }))).toEqual({ a: 2 })
  })

  test("the newer name of a key in a child replaces the older name in its parent, and the other way round", () => {
    expect(plain(merged({ identity: { soulPath: "a" } }, { identity: { identityPath: "b" } }))).toEqual({
      identity: { identityPath: "b" }
    })
    expect(
      plain(merged({ identity: { identityPath: "a", purposePath: "p" } }, { identity: { soulPath: "b" } }))
    ).toEqual({
      identity: { soulPath: "b", purposePath: "p" }
    })
  })

  test("merging is associative where each key keeps its sort of value", () => {
    const leaf = FastCheck.oneof(
      FastCheck.integer(),
      FastCheck.string(),
      FastCheck.array(FastCheck.integer()),
      FastCheck.constant(null)
    )
    const keys = FastCheck.constantFrom("a", "b", "c")
    const level = FastCheck.record(
      {
        maxAttempts: leaf,
        profiles: FastCheck.dictionary(keys, leaf),
        adapters: FastCheck.dictionary(keys, FastCheck.dictionary(keys, leaf)),
        dispatch: FastCheck.record(
          { concurrency: leaf, adapterConcurrency: FastCheck.dictionary(keys, leaf) },
          { requiredKeys: [] }
        )
      },
      { requiredKeys: [] }
    )
    // What null removed stays to be removed from a further parent, so partial merges are put back with it.
    const raw = (origin: ReturnType<typeof merge>): unknown =>
      "children" in origin
        ? Object.fromEntries([...origin.children].map(([key, child]) => [key, raw(child)]))
        : origin.leaf
    FastCheck.assert(
      FastCheck.property(level, level, level, (a, b, c) => {
        const left = merged({ ...(raw(merged(a, b)) as object) }, c)
        const right = merged(a, { ...(raw(merged(b, c)) as object) })
        expect(plain(left)).toEqual(plain(right))
        expect(plain(left)).toEqual(plain(merged(a, b, c)))
      })
    )
  })
})

describe("following a chain", () => {
  const files = new Map<string, Readonly<Record<string, unknown>>>([
    ["/c/child.json", { extends: "../p/parent.json" }],
    ["/p/parent.json", { extends: "~/root.json" }],
    ["/home/me/root.json", {}],
    ["/x/a.json", { extends: "b.json" }],
    ["/x/b.json", { extends: "./a.json" }],
    ["/x/self.json", { extends: "self.json" }]
  ])
  const read = (path: string) => Effect.succeed({ path, value: files.get(path) ?? { extends: `${path}x` } })
  const follow = (path: string) => Effect.runSync(Effect.either(chain(path, "/home/me", read)))

  test("parents come first and their paths lie beside the file that names them", () => {
    expect(Either.map(follow("/c/child.json"), (all) => all.map((one) => one.path))).toEqual(
      Either.right(["/home/me/root.json", "/p/parent.json", "/c/child.json"])
    )
  })

  test("a cycle is an error that names it", () => {
    const result = follow("/x/a.json")
    if (!Either.isLeft(result)) throw new Error("the cycle was not seen")
    expect(result.left).toBeInstanceOf(ConfigInvalid)
    expect(result.left.message).toBe(
      '/x/b.json: extends: "./a.json" closes a cycle: /x/a.json -> /x/b.json -> /x/a.json; expected a chain that ends; remove one `extends`'
    )
    expect(Either.isLeft(follow("/x/self.json"))).toBe(true)
  })

  test("a chain without end is given up", () => {
    const result = follow("/endless")
    expect(Either.isLeft(result) && result.left.message).toContain("a chain of more than 32 files")
  })
})

describe("paths", () => {
  test("they resolve as POSIX says", () => {
    const part = FastCheck.constantFrom("a", "..", ".", "", "b c", "~")
    const path = FastCheck.array(part, { minLength: 1 }).map((parts) => parts.join("/"))
    FastCheck.assert(
      FastCheck.property(path, path, (folder, given) => {
        if (given === "~" || given.startsWith("~/")) return
        expect(absolute(`/${folder}`, "/home/me", given)).toBe(posix.resolve(`/${folder}`, given))
      })
    )
  })

  test("~ is the home folder only at the start", () => {
    expect(absolute("/f", "/home/me", "~")).toBe("/home/me")
    expect(absolute("/f", "/home/me", "~/x")).toBe("/home/me/x")
    expect(absolute("/f", "/home/me", "x/~")).toBe("/f/x/~")
    expect(absolute("/f", "/home/me", "~other/x")).toBe("/f/~other/x")
  })

  test("a program without a slash is left to PATH", () => {
    expect(program("/f", "/h", "codex")).toEqual({ given: "codex", path: "codex" })
    expect(program("/f", "/h", "./codex")).toEqual({ given: "./codex", path: "/f/codex" })
    expect(program("/f", "/h", "~/bin/codex")).toEqual({ given: "~/bin/codex", path: "/h/bin/codex" })
  })

  test("folders", () => {
    expect(folderOf("/a/b.json")).toBe("/a")
    expect(folderOf("/b.json")).toBe("/")
  })

  test("--config wins over the variable, an empty variable is none", () => {
    const asked = { cwd: "/here", home: "/h" }
    expect(configPath({ ...asked, option: "x.json", variable: "y.json" })).toBe("/here/x.json")
    expect(configPath({ ...asked, option: undefined, variable: "/etc/y.json" })).toBe("/etc/y.json")
    expect(configPath({ ...asked, option: undefined, variable: "" })).toBe("/here/config/runtime.json")
    expect(configPath({ ...asked, option: undefined, variable: undefined })).toBe("/here/config/runtime.json")
  })
})
