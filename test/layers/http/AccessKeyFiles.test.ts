import { describe, expect } from "bun:test"
import { createHash } from "node:crypto"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import * as AccessKeyFiles from "../../../layers/http/AccessKeyFiles.ts"
import { AccessKeys } from "../../../src/config/AccessKeys.ts"
import { RuntimeConfig, type Token } from "../../../src/config/RuntimeConfig.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"
import { settings } from "../../support/settings.ts"

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

const world = Effect.map(temporaryFolder, (folder) => ({
  folder,
  /** A token in a file of its own. */
  inFile: (name: string, text: string, mode = 0o600): Token => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return { name, role: "operate", secret: { tokenFile: { given: name, path } } }
  },
  keys: (tokens: ReadonlyArray<Token>) =>
    AccessKeys.pipe(
      Effect.provide(AccessKeyFiles.layer),
      Effect.provideService(
        RuntimeConfig,
        settings({ stateDir: folder, http: { ...settings().http, tokens } })
      )
    )
}))

/** What is refused, a line each, without the folder. */
const refused = ({ folder, keys }: Effect.Effect.Success<typeof world>, tokens: ReadonlyArray<Token>) =>
  Effect.map(Effect.flip(keys(tokens)), (error) => String(error).replaceAll(`${folder}/`, "").split("\n"))

describe("the files of tokens", () => {
  it.effect("may hold any token, and one that may be guessed is told by its name", () =>
    Effect.gen(function* () {
      const { inFile, keys } = yield* world
      const { remarks, tokens } = yield* keys([
        inFile("a", "x"),
        inFile("b", "read-token\n"),
        inFile("c", "sixteen-letters!")
      ])
      expect(tokens.map((one) => one.sha256)).toEqual(["x", "read-token", "sixteen-letters!"].map(sha256))
      expect(remarks.map((line) => line.replace(/;.*/, ""))).toEqual([
        "http.tokens: token a has 1 character and may be guessed, and is not masked in what is stored",
        "http.tokens: token b has 10 characters and may be guessed"
      ])
      expect(remarks.join()).not.toContain("read-token")
    })
  )

  it.effect("are refused, all at once, where they hold none that could be sent", () =>
    Effect.gen(function* () {
      const made = yield* world
      const { inFile } = made
      const lines = yield* refused(made, [
        inFile("a", " \n"),
        inFile("b", "two words of it"),
        inFile("c", "a\u0007bell"),
        inFile("d", "open-to-others", 0o644)
      ])
      expect(lines.map((line) => line.replace(/;.*/, ""))).toEqual([
        expect.stringContaining("a: token a: the file is empty"),
        expect.stringContaining("b: token b: the token holds white space"),
        expect.stringContaining("c: token c: the token holds a control character"),
        expect.stringContaining("d: token d: the file can be read by others")
      ])
    })
  )

  it.effect("that hold a token which another name has are refused, naming both", () =>
    Effect.gen(function* () {
      const made = yield* world
      const text = "the-same-token-twice"
      const reader: Token = { name: "reader", role: "read", secret: { sha256: sha256(text) } }
      const lines = yield* refused(made, [
        reader,
        made.inFile("olga", text),
        made.inFile("otto", `${text}\n`)
      ])
      const rest = "expected a token that stands once; give one of the two another token, or remove it"
      expect(lines.map((line) => line.slice(line.indexOf("http.tokens[")))).toEqual([
        `http.tokens[1].tokenFile: token olga is the same as token reader (http.tokens[0].sha256); ${rest}`,
        `http.tokens[2].tokenFile: token otto is the same as token reader (http.tokens[0].sha256); ${rest}`
      ])
      expect(lines.join()).not.toContain(text)
      const other: Token = { ...reader, secret: { sha256: sha256("another") } }
      expect((yield* made.keys([other, made.inFile("olga", text)])).tokens.length).toBe(2)
    })
  )
})
