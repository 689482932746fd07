import { describe, expect, test } from "bun:test"
import { FastCheck as fc } from "effect"
import { MASK, noSecrets, type Redactor, redactJson, redactorOf } from "../../src/domain/Redactor.ts"
import { encodings, traces } from "./forms.ts"

const secrets = [
  "hunter22",
  'pass "word"/ä+\n<&>?=',
  "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
  "abc123",
  "+`\"'<>&/\\=ok"
]

/** What comes out of a stream that is written in these pieces. */
const through = (redactor: Redactor, pieces: ReadonlyArray<Uint8Array>): Buffer => {
  const stream = redactor.stream()
  return Buffer.concat([...pieces.map((piece) => Buffer.from(stream.write(piece))), stream.flush()])
}

const pieces = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])]
  places.sort((a, b) => a - b)
  return places.slice(1).map((end, at) => bytes.slice(places[at], end))
}

describe.each(Object.entries(encodings))("%s", (_, encode) => {
  test.each(secrets)("of %j is masked, whole and byte by byte", (secret) => {
    const redactor = redactorOf([secret])
    const text = `before ${encode(secret)} behind`
    expect(redactor.holds(text)).toBe(true)
    const masked = redactor.text(text)
    expect(masked).toStartWith("before ")
    expect(masked).toContain(MASK)
    expect(masked).toEndWith(" behind")
    for (const trace of traces(secret)) expect(masked.replace(/\s/g, "")).not.toContain(trace)
    const bytes = Buffer.from(text)
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect(through(redactor, single).toString()).toBe(masked)
  })
})

test("what stands around a value stays", () => {
  const redactor = redactorOf(["hunter22", "secret-2"])
  expect(redactor.text("hunter22")).toBe("[redacted]")
  expect(redactor.text("a hunter22, a hunter2 and a hunter222")).toBe(
    "a [redacted], a hunter2 and a [redacted]2"
  )
  expect(redactor.text("hunter22secret-2hunter22")).toBe("[redacted][redacted][redacted]")
})

test("the character of base64 that a value shares with what follows goes with it", () => {
  const redactor = redactorOf(["hunter22", "hunter222"])
  for (const behind of ["", "\n", "@", "\u00ff"])
    expect(redactor.text(btoa(`hunter22${behind}`)).replace(/=*$/, "")).toMatch(/^\[redacted\].?$/)
  expect(redactor.text(btoa("hunter22"))).toBe("[redacted]=")
})

test("values that overlap become one mask, the longer one counts", () => {
  const redactor = redactorOf(["abcdefgh", "efghijkl", "cdefgh-longer"])
  expect(redactor.text("-abcdefghijkl-")).toBe("-[redacted]-")
  expect(redactor.text("-abcdefgh-longer-")).toBe("-[redacted]-")
  const nested = redactorOf(["efghij", "abcdefghijkl"])
  expect(nested.text("-abcdefghijkl-")).toBe("-[redacted]-")
  expect(nested.text("-abcdefghijk-")).toBe("-abcd[redacted]k-")
  expect(redactorOf(["aaaaaa"]).text(`b${"a".repeat(1_000)}b`)).toBe("b[redacted]b")
})

test("values of fewer than 6 characters are not masked, nor is the mask itself", () => {
  expect(redactorOf(["abcde", "", "redacted", "[redacted]"])).toBe(noSecrets)
  expect(redactorOf(["abcde", "abcdef"]).text("abcde abcdef")).toBe("abcde [redacted]")
})

test("without values everything passes as it is", () => {
  const chunk = Uint8Array.of(1, 2, 3)
  expect(noSecrets.isIdle).toBe(true)
  expect(noSecrets.stream().write(chunk)).toBe(chunk)
})

test("bytes are held back only while a value may have begun", () => {
  const stream = redactorOf(["hunter22"]).stream()
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
  expect(text(stream.write(Buffer.from("one line\n")))).toBe("one line\n")
  expect(text(stream.write(Buffer.from("login hunt")))).toBe("login ")
  expect(text(stream.write(Buffer.from("ing\n")))).toBe("hunting\n")
  expect(text(stream.write(Buffer.from("hunter2")))).toBe("")
  expect(text(stream.write(Buffer.from("2.\n")))).toBe("[redacted].\n")
  expect(text(stream.write(Buffer.from("hunt")))).toBe("")
  expect(text(stream.flush())).toBe("hunt")
})

test("an encoding is waited for across an end of line, not across endless whitespace", () => {
  const stream = redactorOf(["hunter22"]).stream()
  const hex = Buffer.from("hunter22").toString("hex")
  stream.write(Buffer.from(hex.slice(0, 8)))
  expect(stream.write(Buffer.from("\n    "))).toHaveLength(0)
  expect(Buffer.from(stream.write(Buffer.from(`${hex.slice(8)}.`))).toString()).toBe("[redacted].")
  stream.write(Buffer.from(hex.slice(0, 8)))
  expect(stream.write(Buffer.alloc(100_000, " "))).toHaveLength(100_008)
})

test("a value is found across pieces, far behind, and by one finder only", () => {
  const redactor = redactorOf(["hunter22"])
  const [one, other] = [redactor.finder(), redactor.finder()]
  for (let n = 0; n < 200; n++) expect(one.write(Buffer.alloc(100_001, "hunter2!"))).toBe(false)
  expect(one.write(Buffer.from("hunt"))).toBe(false)
  expect(other.write(Buffer.from("er22"))).toBe(false)
  expect(one.write(Buffer.from("er22"))).toBe(true)
  expect(one.write(Buffer.from("more"))).toBe(true)
  expect(noSecrets.finder().write(Buffer.from("hunter22"))).toBe(false)
})

test("a stream that repeats a value without end is masked in bounded memory", () => {
  const stream = redactorOf(["aaaaaa"]).stream()
  const chunk = Buffer.alloc(64 * 1024, "a")
  let bytes = 0
  for (let n = 0; n < 250; n++) bytes += stream.write(chunk).length
  expect(bytes + stream.flush().length).toBe(MASK.length)
})

test("masked JSON has masked texts and keys, everything else is as it was", () => {
  const redactor = redactorOf(["hunter22"])
  const object = { a: ["x hunter22", 1, null, true, { "k-hunter22": "v" }], b: { c: "plain" } }
  expect(redactJson(object, redactor)).toEqual({
    a: ["x [redacted]", 1, null, true, { "k-[redacted]": "v" }],
    b: { c: "plain" }
  })
})

test("keys that are the same once masked keep their values", () => {
  const redactor = redactorOf(["hunter22", "hunter33"])
  expect(
    redactJson({ hunter22: 1, "[redacted]": 2, hunter33: { "a hunter22": 3, "a hunter33": 4 } }, redactor)
  ).toEqual({
    "[redacted] (2)": 1,
    "[redacted]": 2,
    "[redacted] (3)": { "a [redacted]": 3, "a [redacted] (2)": 4 }
  })
})

test("the beginning of a cut text holds no rest of a value", () => {
  const redactor = redactorOf([secrets[2]!])
  for (let cut = 0; cut < 40; cut++) {
    const text = redactor.text(redactor.afterCut(`${secrets[2]!.slice(cut)} ${"ä".repeat(2_000)} the end`))
    expect(text).not.toContain(secrets[2]!.slice(-6))
    expect(text).not.toContain("\uFFFD")
    expect(text).toEndWith("ä the end")
  }
  const many = redactor.afterCut(`${secrets[2]!.repeat(200)} the end`)
  expect(redactor.text(many)).toMatch(/^(\[redacted\])* the end$/)
})

describe("however a stream is made", () => {
  const value = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_-]{6,12}$/),
    fc.string({ minLength: 6, maxLength: 10, unit: "binary" }).filter((text) => text.isWellFormed()),
    fc.stringMatching(/^[ab]{6,8}$/)
  )
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.stringMatching(/^[ab0-9 :\n%\\]{0,12}$/).map((text) => new Uint8Array(Buffer.from(text)))
  )
  const scene = fc.record({
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
    parts: fc.array(
      fc.record({
        before: noise,
        which: fc.nat(),
        form: fc.constantFrom(...Object.values(encodings)),
        cut: fc.nat(9)
      }),
      { maxLength: 6 }
    ),
    cuts: fc.array(fc.nat(400), { maxLength: 12 })
  })
  // A part of a value now and then, so that many a beginning leads nowhere.
  const bytesOf = ({
    parts,
    values
  }: {
    parts: ReadonlyArray<{ before: Uint8Array; which: number; form: (text: string) => string; cut: number }>
    values: ReadonlyArray<string>
  }) =>
    Buffer.concat(
      parts.flatMap(({ before, cut, form, which }) => {
        const whole = form(values[which % values.length]!)
        return [before, Buffer.from(cut < 5 ? whole : whole.slice(0, whole.length >> 1))]
      })
    )

  test("any split gives what the whole gives, and no value survives", () => {
    fc.assert(
      fc.property(scene, (given) => {
        const redactor = redactorOf(given.values)
        const bytes = bytesOf(given)
        const whole = through(redactor, [bytes])
        expect(through(redactor, pieces(bytes, given.cuts))).toEqual(whole)
        // Between masks: a value that the mask itself helps to spell is none.
        for (const rest of whole.toString("latin1").split(MASK))
          for (const one of given.values)
            for (const trace of traces(one)) expect(rest).not.toContain(Buffer.from(trace).toString("latin1"))
      }),
      { numRuns: 500 }
    )
  })

  test("bytes without a value come out as they went in", () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 4 }),
        fc.uint8Array({ maxLength: 2_000 }),
        fc.array(fc.nat(2_000)),
        (values, bytes, cuts) => {
          const redactor = redactorOf(values)
          const text = Buffer.from(bytes).toString("latin1")
          fc.pre(
            !values.some((one) =>
              traces(one).some((trace) => text.includes(Buffer.from(trace).toString("latin1")))
            )
          )
          expect(through(redactor, pieces(bytes, cuts))).toEqual(Buffer.from(bytes))
        }
      )
    )
  })

  test("a text and the stream of its bytes are masked alike", () => {
    fc.assert(
      fc.property(scene, (given) => {
        const redactor = redactorOf(given.values)
        const text = bytesOf(given).toString("utf8")
        expect(redactor.text(text)).toBe(through(redactor, [Buffer.from(text)]).toString("utf8"))
        expect(redactor.text(text) !== text).toBe(redactor.holds(text))
      }),
      { numRuns: 300 }
    )
  })

  test("a value is found in a stream where the stream is masked, and nowhere else", () => {
    fc.assert(
      fc.property(scene, (given) => {
        const redactor = redactorOf(given.values)
        const bytes = bytesOf(given)
        const isMasked = !through(redactor, [bytes]).equals(Buffer.from(bytes))
        const finder = redactor.finder()
        const answers = pieces(bytes, given.cuts).map((piece) => finder.write(piece))
        expect(answers.at(-1) ?? false).toBe(isMasked)
        expect(answers).toEqual(answers.toSorted((a, b) => Number(a) - Number(b)))
      }),
      { numRuns: 500 }
    )
  })
})

describe("what is covered", () => {
  const SPLIT = fc.array(fc.nat(), { maxLength: 8 })
  test("is as long as what it covers, and says the same from wherever it is begun", () => {
    const redactor = redactorOf([...secrets, "cdefgh-longer", "hunter22ab"])
    const parts = fc.array(
      fc.oneof(fc.constantFrom(...secrets, btoa("hunter22"), "cdefgh-longer", "hunter2", "\n"), fc.string()),
      { maxLength: 8 }
    )
    fc.assert(
      fc.property(parts, SPLIT, fc.nat(), (texts, cuts, place) => {
        const bytes = Buffer.from(texts.join(""))
        const coverOf = (from: number) => {
          const cover = redactor.cover()
          const told = pieces(bytes.subarray(from), cuts).map((piece) => Buffer.from(cover.write(piece)))
          return Buffer.concat([...told, cover.flush()])
        }
        const whole = coverOf(0)
        expect(whole.length).toBe(bytes.length)
        expect(redactor.holds(whole.toString("latin1"))).toBe(false)
        for (let at = 0; at < bytes.length; at++) expect([bytes[at], 0x2a]).toContain(whole[at]!)
        const from = place % (bytes.length + 1)
        const begin = Math.max(0, from - redactor.reach)
        expect(
          coverOf(begin)
            .subarray(from - begin)
            .equals(whole.subarray(from))
        ).toBe(true)
      })
    )
    const cover = redactor.cover()
    expect(Buffer.concat([cover.write(Buffer.from("a hunter22, 1")), cover.flush()]).toString()).toBe(
      "a ********, 1"
    )
  })

  test("of a long text is told from the middle on as from its beginning", () => {
    const redactor = redactorOf(["hunter22"])
    const text = Buffer.from(`${"x".repeat(redactor.reach)}hunter22${"y".repeat(redactor.reach)}`)
    const whole = redactor.text(text.toString()).replace("[redacted]", "********")
    for (let from = redactor.reach; from < redactor.reach + 9; from++) {
      const cover = redactor.cover()
      const told = Buffer.concat([cover.write(text.subarray(from - redactor.reach)), cover.flush()])
      expect(told.subarray(redactor.reach).toString()).toBe(whole.slice(from))
    }
  })
})

describe("of lines that begin with words", () => {
  const key = `sk-ant-api03-${"Ab3dEf9hIjKl".repeat(8)}`
  const lines = (encoding: "base64" | "hex", line: (text: string, at: number) => string): string =>
    Buffer.from(`key: ${key}`)
      .toString(encoding)
      .replace(/.{1,76}/g, (text, at) => `${line(text, at)}\n`)
  test.each([
    ["a time", (text: string, at: number) => `2026-01-01T00:00:${10 + at}.123Z [info] ${text}`],
    ["a file and a number", (text: string, at: number) => `src/file.pem:${at}:${text}`],
    ["a number", (text: string, at: number) => `${`${at}`.padStart(6)}\t${text}`]
  ])("the encoded value is found behind %s", (_, line) => {
    for (const encoding of ["base64", "hex"] as const)
      expect(redactorOf([key]).text(lines(encoding, line))).toContain(MASK)
  })
})

test("decoration is no reason to take for a value what is none", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "\n",
      "\r\n",
      "+",
      "-",
      "> ",
      "| ",
      " |",
      "# ",
      "// ",
      '",',
      "' +",
      "\\n",
      "\\u002B",
      "\\u00",
      "="
    ),
    fc.base64String({ maxLength: 12 }),
    fc.stringMatching(/^[0-9a-f]{0,12}$/),
    fc.string({ maxLength: 12 })
  )
  const redactor = redactorOf(secrets)
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""))
        expect(through(redactor, pieces(bytes, cuts))).toEqual(bytes)
      }
    ),
    { numRuns: 500 }
  )
})

test("a part of a value before each end of a line holds back no more than what may be the rest", () => {
  const stream = redactorOf(["hunter22"]).stream()
  const half = btoa("hunter22").slice(0, 6)
  let told = 0
  for (let at = 0; at < 2_000; at++) told += stream.write(Buffer.from(`+ "${half}" +\n`)).length
  expect(2_000 * 13 - told).toBeLessThan(200)
})

test("a value in JSON up to four deep is masked wherever the stream is cut, and the JSON stays sound", () => {
  const character = fc.constantFrom(...'"\\/\n\tüa9Z <€😀')
  fc.assert(
    fc.property(
      fc.array(character, { minLength: 6, maxLength: 15 }),
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (characters, deeper, cuts) => {
        const value = characters.join("")
        let text = JSON.stringify({ inner: `x${value}y`, behind: "\\" })
        for (let at = 0; at < deeper; at++) text = JSON.stringify({ inner: text, behind: "\\" })
        const masked = through(redactorOf([value]), pieces(Buffer.from(text), cuts)).toString()
        let inner = masked
        for (let at = 0; at <= deeper; at++) inner = JSON.parse(inner).inner
        expect(inner).toContain(MASK)
        expect(inner).not.toContain(value)
      }
    ),
    { numRuns: 500 }
  )
})
