import { describe, expect } from "bun:test"
import { createHash } from "node:crypto"
import { Effect, type Layer, Option } from "effect"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { it } from "../support/effect.ts"

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

/** What every ArtifactStore does, whatever it keeps its files in. */
export const artifactStoreSuite = (name: string, layer: () => Layer.Layer<ArtifactStore, unknown>) => {
  const check = (title: string, body: Effect.Effect<unknown, unknown, ArtifactStore>) =>
    it.live(title, () => Effect.provide(body, layer()))
  const tag = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.flip,
      Effect.map((error) => error._tag)
    )

  describe(`an artifact store ${name}`, () => {
    check(
      "reads back what was written, with its hash and its size",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("wiki/a/b.md", "größe\n")
        expect(yield* store.read("wiki/a/b.md", 1000)).toEqual(Option.some("größe\n"))
        expect(yield* store.hash("wiki/a/b.md")).toEqual(Option.some(sha256("größe\n")))
        const seen = Option.getOrThrow(yield* store.observe("./wiki//a/b.md"))
        expect(seen).toMatchObject({ kind: "file", size: 8, realPath: `${store.root}/wiki/a/b.md` })
        expect(Option.getOrThrow(yield* store.observe("wiki")).kind).toBe("folder")
      })
    )

    check(
      "tells that it can be written, and leaves nothing of the trial",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.writable
        expect(Option.getOrThrow(yield* store.entries("", 10)).entries).toEqual([])
      })
    )

    check(
      "reads no more bytes than were asked for",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("a.md", "0123456789")
        expect(yield* store.read("a.md", 4)).toEqual(Option.some("0123"))
        expect(yield* store.read("a.md", 0)).toEqual(Option.some(""))
      })
    )

    check(
      "gives a file's bytes piece by piece to its end, and no more once they were met",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        const text = "größe\n".repeat(100_000)
        yield* store.write("a.md", text)
        const pieces: Array<Uint8Array> = []
        const met = (answer: boolean) => (bytes: Uint8Array) => {
          pieces.push(bytes.slice())
          return answer
        }
        expect(yield* store.scan("a.md", met(false))).toEqual(Option.some(false))
        expect(Buffer.concat(pieces).equals(Buffer.from(text))).toBe(true)
        pieces.length = 0
        expect(yield* store.scan("a.md", met(true))).toEqual(Option.some(true))
        expect(pieces).toHaveLength(1)
        yield* store.write("empty.md", "")
        expect(yield* store.scan("empty.md", met(true))).toEqual(Option.some(false))
      })
    )

    check(
      "keeps a byte order mark, so that text and hash belong together",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("a.md", "\uFEFFa")
        expect(yield* store.read("a.md", 10)).toEqual(Option.some("\uFEFFa"))
      })
    )

    check(
      "answers none where nothing is, and none for the text and hash of a folder",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("wiki/a.md", "a")
        for (const path of ["none.md", "none/deeper.md", "wiki/a.md/below-a-file"]) {
          expect(yield* store.observe(path)).toEqual(Option.none())
          expect(yield* store.hash(path)).toEqual(Option.none())
          expect(yield* store.read(path, 10)).toEqual(Option.none())
          expect(yield* store.scan(path, () => true)).toEqual(Option.none())
        }
        expect(yield* store.hash("wiki")).toEqual(Option.none())
        expect(yield* store.read("wiki", 10)).toEqual(Option.none())
        expect(yield* store.scan("wiki", () => true)).toEqual(Option.none())
      })
    )

    check(
      "writes over a file as a whole, and its change time moves on",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("a.md", "a long first text")
        const before = Option.getOrThrow(yield* store.observe("a.md"))
        yield* store.write("a.md", "b")
        const after = Option.getOrThrow(yield* store.observe("a.md"))
        expect(yield* store.read("a.md", 100)).toEqual(Option.some("b"))
        expect(after.changedAtMs).toBeGreaterThanOrEqual(before.changedAtMs)
      })
    )

    for (const path of [
      "..",
      "../a.md",
      "a/../../b.md",
      "/etc/passwd",
      "/",
      "a\0.md",
      "../artifacts-evil/a.md"
    ])
      check(
        `refuses ${JSON.stringify(path)} in every verb`,
        Effect.gen(function* () {
          const store = yield* ArtifactStore
          const verbs: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
            store.resolve(path),
            store.observe(path),
            store.hash(path),
            store.read(path, 10),
            store.scan(path, () => true),
            store.write(path, "x"),
            store.keepOld(path),
            store.files(path, { most: 1, descending: false, leaveOut: [] }),
            store.entries(path, 1)
          ]
          for (const verb of verbs) expect(yield* tag(verb)).toBe("PathRefused")
        })
      )

    check(
      "refuses the sibling of its root that begins with the root's name",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        expect(yield* tag(store.observe(`${store.root}-evil/a.md`))).toBe("PathRefused")
      })
    )

    check(
      "takes an absolute path that lies inside, and a path that comes back in",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write(`${store.root}/wiki/a.md`, "a")
        expect(yield* store.read("wiki/../wiki/a.md", 10)).toEqual(Option.some("a"))
        expect(yield* store.resolve("not/there.md")).toBe(`${store.root}/not/there.md`)
      })
    )

    check(
      "does not write over the root, a folder, or below a file",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("wiki/a.md", "a")
        expect(yield* tag(store.write(".", "x"))).toBe("PathRefused")
        expect(yield* tag(store.write("wiki", "x"))).toBe("ArtifactFailed")
        expect(yield* tag(store.write("wiki/a.md/b.md", "x"))).toBe("ArtifactFailed")
        expect(yield* store.read("wiki/a.md", 10)).toEqual(Option.some("a"))
      })
    )

    check(
      "keeps older versions under the first free number and leaves the file where it is",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("wiki/a.md", "one")
        expect(yield* store.keepOld("wiki/a.md")).toBe("wiki/a.1.md")
        yield* store.write("wiki/a.md", "two")
        expect(yield* store.keepOld("wiki/a.md")).toBe("wiki/a.2.md")
        expect(yield* store.read("wiki/a.1.md", 10)).toEqual(Option.some("one"))
        expect(yield* store.read("wiki/a.2.md", 10)).toEqual(Option.some("two"))
        expect(yield* store.read("wiki/a.md", 10)).toEqual(Option.some("two"))
        yield* store.write("data.csv", "x")
        expect(yield* store.keepOld("data.csv")).toBe("data.csv.1.md")
      })
    )

    check(
      "lists the files of a folder and below it, what lies in a folder at the place of its name",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        for (const path of ["b.md", "a/z.md", "a.md", "a/b/c.md", "c/d.md", "c/e/f.md"])
          yield* store.write(path, "x")
        const all = { most: 9, descending: false, leaveOut: [] }
        const paths = ["a/b/c.md", "a/z.md", "a.md", "b.md", "c/d.md", "c/e/f.md"]
        expect(yield* store.files("", all)).toEqual({ paths, total: Option.some(6) })
        expect(yield* store.files(".", { ...all, descending: true })).toEqual({
          paths: paths.toReversed(),
          total: Option.some(6)
        })
        expect(yield* store.files("a", all)).toEqual({ paths: paths.slice(0, 2), total: Option.some(2) })
        expect(yield* store.files("", { ...all, leaveOut: ["a", "b.md", "c/e"] })).toEqual({
          paths: ["a.md", "c/d.md"],
          total: Option.some(2)
        })
      })
    )

    check(
      "lists no more files than were asked for, and counts all of them",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        for (const path of ["a/1", "a/2", "b/3"]) yield* store.write(path, "x")
        const wanted = { most: 2, descending: false, leaveOut: [] }
        expect(yield* store.files("", wanted)).toEqual({ paths: ["a/1", "a/2"], total: Option.some(3) })
        expect(yield* store.files("", { ...wanted, descending: true })).toEqual({
          paths: ["b/3", "a/2"],
          total: Option.some(3)
        })
      })
    )

    check(
      "lists none of a folder that is not there, and none of a file",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        yield* store.write("a.md", "x")
        for (const path of ["none", "a.md", "a.md/deeper"])
          expect(yield* store.files(path, { most: 9, descending: false, leaveOut: [] })).toEqual({
            paths: [],
            total: Option.some(0)
          })
      })
    )

    check(
      "lists what lies in a folder itself, by name: files with their size, folders, both with their change time",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        for (const path of ["b/deep/er.md", "Z.md", "a.md", "ä.md", "b.md"]) yield* store.write(path, "größe")
        const shown = (folder: string) =>
          Effect.map(store.entries(folder, 99), (found) => {
            const { entries, isWhole } = Option.getOrThrow(found)
            expect(isWhole).toBe(true)
            return entries.map((one) => [one.name, one.kind, one.kind === "file" ? one.size : "any size"])
          })
        const file = (name: string) => [name, "file", Option.some(7)]
        const folder = (name: string) => [name, "folder", "any size"]
        const top = [file("Z.md"), file("a.md"), folder("b"), file("b.md"), file("ä.md")]
        expect(yield* shown("")).toEqual(top)
        expect(yield* shown(".")).toEqual(top)
        expect(yield* shown("b/deep/..")).toEqual([folder("deep")])
        expect(yield* shown("b/deep")).toEqual([file("er.md")])
        const { changedAtMs } = Option.getOrThrow(yield* store.observe("a.md"))
        const { entries } = Option.getOrThrow(yield* store.entries("", 99))
        expect(entries.find(({ name }) => name === "a.md")?.changedAtMs).toEqual(Option.some(changedAtMs))
        for (const one of entries) expect(Option.isSome(one.changedAtMs)).toBe(true)
      })
    )

    check(
      "lists no more of a folder than was asked for, and says that there is more",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        for (const path of ["c", "a/1", "b"]) yield* store.write(path, "x")
        const shown = (most: number) =>
          Effect.map(store.entries("", most), (found) => {
            const { entries, isWhole } = Option.getOrThrow(found)
            return [entries.map(({ name }) => name), isWhole]
          })
        expect(yield* shown(2)).toEqual([["a", "b"], false])
        expect(yield* shown(3)).toEqual([["a", "b", "c"], true])
        expect(yield* shown(0)).toEqual([[], false])
      })
    )

    check(
      "lists nothing of what is no folder, and of an empty root that it is empty",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        expect(yield* store.entries("", 9)).toEqual(Option.some({ entries: [], isWhole: true }))
        yield* store.write("a.md", "x")
        for (const path of ["none", "a.md", "a.md/deeper"])
          expect([path, yield* store.entries(path, 9)]).toEqual([path, Option.none()])
      })
    )

    check(
      "cannot keep an older version of what is not there",
      Effect.gen(function* () {
        const store = yield* ArtifactStore
        expect(yield* Effect.flip(store.keepOld("none.md"))).toMatchObject({
          _tag: "ArtifactFailed",
          path: "none.md",
          reason: "ENOENT"
        })
      })
    )
  })
}
