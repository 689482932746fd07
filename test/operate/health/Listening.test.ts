import { describe, expect } from "bun:test"
import { Effect, Either, Layer, Option } from "effect"
import { RuntimeConfig, type Token } from "../../../src/config/RuntimeConfig.ts"
import type { TokenFault, TokenMark } from "../../../src/config/TokenRules.ts"
import { listening } from "../../../src/operate/health/Listening.ts"
import { it } from "../../support/effect.ts"
import { hostFacts } from "../../support/hostFacts.ts"
import { settings } from "../../support/settings.ts"

const LONG = { sha256: "ab".repeat(32), characters: 44 }
const OWN = { kind: "file", readable: false, writable: false } as const

/** What is said of files of tokens by what is known of them; a file that is not given is missing. */
const saidOf = (files: Readonly<Record<string, TokenMark | TokenFault>>, tokens: ReadonlyArray<Token>) =>
  Effect.map(
    Effect.provide(
      listening,
      Layer.mergeAll(
        Layer.succeed(RuntimeConfig, settings({ http: { ...settings().http, tokens } })),
        hostFacts({
          exposure: (path) => Effect.succeed(path in files ? Option.some(OWN) : Option.none()),
          token: (path) => {
            const file = files[path] ?? { wrong: "the file cannot be read (ENOENT)", remedy: "write one" }
            return Effect.succeed("wrong" in file ? Either.left(file) : Either.right(file))
          }
        })
      )
    ),
    ({ problems, warnings }) => ({ problems, warnings })
  )

const inFile = (name: string, path: string): Token => ({
  name,
  role: "read",
  secret: { tokenFile: { given: path, path } }
})

describe("of the tokens of the API the doctor", () => {
  it.effect("says nothing where each is long and one holder's alone", () =>
    Effect.gen(function* () {
      const other = { ...LONG, sha256: "cd".repeat(32), characters: 16 }
      const tokens = [inFile("a", "/a"), inFile("b", "/b")]
      expect(yield* saidOf({ "/a": LONG, "/b": other }, tokens)).toEqual({ problems: [], warnings: [] })
    })
  )

  it.effect("warns of a short one by its name, with the command that writes another", () =>
    Effect.gen(function* () {
      const warned = (characters: number) =>
        Effect.map(saidOf({ "/a": { ...LONG, characters } }, [inFile("olga", "/a")]), (said) => said)
      const remedy = "write one of 16 or more: (umask 077; head -c 32 /dev/urandom | base64 > /a)"
      expect(yield* warned(10)).toEqual({
        problems: [],
        warnings: [`http.tokens: token olga has 10 characters and may be guessed; ${remedy}`]
      })
      expect((yield* warned(1)).warnings).toEqual([
        `http.tokens: token olga has 1 character and may be guessed, and is not masked in what is stored; ${remedy}`
      ])
    })
  )

  it.effect("is not well where two are the same, in files or not", () =>
    Effect.gen(function* () {
      const hashed: Token = { name: "steerer", role: "operate", secret: { sha256: LONG.sha256 } }
      const tokens = [inFile("a", "/a"), hashed, inFile("b", "/b")]
      const rest = "expected a token that stands once; give one of the two another token, or remove it"
      expect((yield* saidOf({ "/a": LONG, "/b": LONG }, tokens)).problems).toEqual([
        `http.tokens[1].sha256: token steerer is the same as token a (http.tokens[0].tokenFile); ${rest}`,
        `http.tokens[2].tokenFile: token b is the same as token a (http.tokens[0].tokenFile); ${rest}`
      ])
    })
  )

  it.effect("tells what a server would refuse of a file, but not what the rights tell already", () =>
    Effect.gen(function* () {
      const empty = { wrong: "the file is empty", remedy: "write one: make" }
      const said = yield* saidOf({ "/a": empty }, [inFile("a", "/a"), inFile("gone", "/gone")])
      expect(said.problems).toEqual([
        "http.tokens: token a cannot be used: the file is empty: /a; write one: make"
      ])
    })
  )
})
