import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { ArtifactFailed, PathRefused } from "../../src/artifact/ArtifactStore.ts"
import { noSecrets, redactorOf } from "../../src/domain/Redactor.ts"
import { type Scan, secretIssues } from "../../src/evidence/SecretScan.ts"
import { it } from "../support/effect.ts"

const secrets = redactorOf(["hunter22"])

/** A file that comes in these pieces. */
const file =
  (...pieces: ReadonlyArray<string>): Scan =>
  (met) =>
    Effect.sync(() => Option.some(pieces.some((piece) => met(Buffer.from(piece, "latin1")))))

const hit = 'secret_in_artifact: the file "a" holds a secret value; remove the file and replace the secret.'
const issues = (scan: Scan) => secretIssues('the file "a"', { path: "a", scan }, secrets)

it.effect("a value that came in two pieces is found, and none is where there is none", () =>
  Effect.gen(function* () {
    expect(yield* issues(file("x".repeat(1_000_000), "hunt", "er22"))).toEqual([hit])
    expect(yield* issues(file("x".repeat(1_000_000), "hunt", "er2"))).toEqual([])
    expect(yield* issues(file())).toEqual([])
  })
)

it.effect("a value in the file's name is found before the file is read", () =>
  Effect.gen(function* () {
    const never: Scan = () => Effect.dieMessage("it is read")
    expect(yield* secretIssues("the file", { path: "d/hunter22.md", scan: never }, secrets)).toEqual([
      "secret_in_artifact: the file holds a secret value in its name; remove the file and replace the secret."
    ])
  })
)

it.effect("bytes that are no text are looked through like any others", () =>
  Effect.gen(function* () {
    expect(yield* issues(file("\xff\xfe\x00\xc3hunter22\x80"))).toEqual([hit])
    expect(yield* issues(file("\xff\xc3", btoa("\xffhunter22\xff"), "\x00"))).toEqual([hit])
  })
)

it.effect("each look begins anew: what one file ends with does not go on in the next", () =>
  Effect.gen(function* () {
    const scan = issues(file("hunt"))
    expect(yield* scan).toEqual([])
    expect(yield* issues(file("er22"))).toEqual([])
    expect(yield* scan).toEqual([])
  })
)

it.effect("a file that cannot be read to its end is named with the reason", () =>
  Effect.gen(function* () {
    const why = (text: string) => [
      `artifact_unreadable: the file "a" cannot be read to its end to look for secret values (${text}).`
    ]
    expect(yield* issues(() => Effect.fail(new ArtifactFailed({ path: "a", reason: "EIO" })))).toEqual(
      why("EIO")
    )
    expect(
      yield* issues(() => Effect.fail(new PathRefused({ path: "a", why: "goes through a loop of symlinks" })))
    ).toEqual(why("it goes through a loop of symlinks"))
    expect(yield* issues(() => Effect.succeedNone)).toEqual(why("no regular file, or no right to read it"))
  })
)

it.effect("an adapter without secret values has no file read", () =>
  Effect.gen(function* () {
    const never: Scan = () => Effect.die("read")
    expect(yield* secretIssues("the file", { path: "a", scan: never }, noSecrets)).toEqual([])
  })
)
