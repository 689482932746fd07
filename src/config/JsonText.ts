import { Either } from "effect"
import { abridged, quoted } from "../domain/Abridged.ts"
import { counted } from "../domain/Figure.ts"
import { MAX_DEPTH } from "../domain/Json.ts"

/** Keys that are told one by one; of more than these the number is told. */
const MOST_KEYS = 40

/** Why a text is not JSON that can be used, and where; lines and columns count from 1. */
export interface JsonFault {
  readonly line: number
  readonly column: number
  readonly wrong: string
  readonly expected: string
  readonly remedy: string
}

/**
 * Parses JSON as `JSON.parse` does, and also refuses what a person cannot have meant: a key that stands twice
 * in one object, the key `__proto__`, and nesting beyond `MAX_DEPTH`. A byte order mark is skipped. Of
 * faulty keys the first are told, and how many more there are; of syntax faults the first.
 */
export const parseJson = (text: string): Either.Either<unknown, ReadonlyArray<JsonFault>> => {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text
  const scanner = new Scanner(source)
  const faults = scanner.run()
  return faults.length > 0 ? Either.left(faults) : Either.right(JSON.parse(source))
}

const SPACE = /[ \t\n\r]*/y
const SPACE_CODE = " ".charCodeAt(0)
const PLAIN = /[ !#-[\]-\uffff]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const WORD = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y

/** Ends a scan at the first syntax fault. */
class Stop extends Error {
  constructor(
    readonly wrong: string,
    readonly expected: string,
    readonly remedy: string
  ) {
    super(wrong)
  }
}

class Scanner {
  private at = 0
  private readonly faults: Array<JsonFault> = []
  /** Where the first faulty key stands that is not told itself, and how many there are of these. */
  private untold: { readonly at: number; readonly count: number } = { at: 0, count: 0 }
  /** Where each line begins; found when the first fault is. */
  private lines: ReadonlyArray<number> | undefined

  constructor(private readonly text: string) {}

  run(): ReadonlyArray<JsonFault> {
    try {
      this.space()
      if (this.at === this.text.length) this.stop("the file is empty", "an object", "")
      this.value(0)
      this.space()
      if (this.at < this.text.length)
        this.stop(`${this.here()} follows the end of the value`, "the end of the file", "")
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      const { expected, remedy, wrong } = error
      return [...this.keyFaults(), this.faultAt(this.at, wrong, expected, remedy)]
    }
    return this.keyFaults()
  }

  private keyFaults(): ReadonlyArray<JsonFault> {
    const { at, count } = this.untold
    if (count === 0) return this.faults
    const wrong = `${counted(count)} more ${count === 1 ? "key stands" : "keys stand"} twice or cannot be used`
    return [...this.faults, this.faultAt(at, wrong, "other keys, each once", "")]
  }

  private faultAt(at: number, wrong: string, expected: string, remedy: string): JsonFault {
    const line = this.lineOf(at)
    return { line, column: at - (this.starts()[line - 1] ?? 0) + 1, wrong, expected, remedy }
  }

  private starts(): ReadonlyArray<number> {
    this.lines ??= [0, ...Array.from(this.text.matchAll(/\n/g), ({ index }) => index + 1)]
    return this.lines
  }

  /** How many lines begin at or before a place. */
  private lineOf(at: number): number {
    const starts = this.starts()
    let [low, high] = [0, starts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= at) low = middle + 1
      else high = middle
    }
    return low
  }

  private keyFault(at: number, told: () => readonly [wrong: string, expected: string, remedy: string]): void {
    if (this.faults.length < MOST_KEYS) this.faults.push(this.faultAt(at, ...told()))
    else this.untold = { at: this.untold.count === 0 ? at : this.untold.at, count: this.untold.count + 1 }
  }

  private stop(wrong: string, expected: string, remedy: string): never {
    throw new Stop(wrong, expected, remedy)
  }

  private here(): string {
    const letter = this.text.codePointAt(this.at)
    if (letter === undefined) return "the end of the file"
    return JSON.stringify(
      /^[\w.+-]+/.exec(this.text.slice(this.at, this.at + 30))?.[0] ?? String.fromCodePoint(letter)
    )
  }

  /** What a sticky pattern matches here; the scan goes on behind it. */
  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    this.at += found?.length ?? 0
    return found
  }

  private space(): void {
    // Between most tokens stands none, and to ask a pattern takes ten times as long as to look.
    if (!(this.text.charCodeAt(this.at) > SPACE_CODE)) this.match(SPACE)
  }

  private take(letter: string): boolean {
    this.space()
    if (this.text[this.at] !== letter) return false
    this.at++
    return true
  }

  private unfit(expected: string): never {
    const letter = this.text[this.at]
    const remedy =
      letter === "/" || letter === "#" ? "JSON has no comments" : letter === "'" ? "use double quotes" : ""
    return this.stop(`found ${this.here()}`, expected, remedy)
  }

  private value(depth: number): void {
    this.space()
    if (depth > MAX_DEPTH) this.stop("it is nested too deeply", `at most ${MAX_DEPTH} levels`, "")
    const letter = this.text[this.at]
    if (letter === "{") this.object(depth)
    else if (letter === "[") this.list(depth)
    else if (letter === '"') this.string()
    else this.word()
  }

  private word(): void {
    const from = this.at
    const word = this.match(WORD)
    if (word === undefined) this.unfit("a value")
    // What JSON.parse would round without a word, ids of Discord among them.
    if (/^-?\d{16,}$/.test(word) && !Number.isSafeInteger(Number(word))) {
      this.at = from
      this.stop(
        `the integer ${abridged(word, 40)} is too large to be kept exactly`,
        "at most 9007199254740991 to either side of 0",
        "give a smaller number or, where it is an id, put it into double quotes"
      )
    }
  }

  private string(): string {
    const start = this.at
    if (this.text[start] !== '"') return this.unfit("a key in double quotes")
    this.at++
    // Stretch by stretch: one pattern for the whole would recurse once for each letter of a long text.
    do this.match(PLAIN)
    while (this.match(ESCAPE) !== undefined)
    if (this.text[this.at] !== '"') {
      this.at = start
      return this.badString()
    }
    const raw = this.text.slice(start, ++this.at)
    return raw.includes("\\") ? String(JSON.parse(raw)) : raw.slice(1, -1)
  }

  /** Finds what is wrong with the string that begins here. */
  private badString(): never {
    const start = this.at
    for (this.at++; ; this.at++) {
      const code = this.text.charCodeAt(this.at)
      if (Number.isNaN(code) || code === 10 || code === 13) return this.unclosed(start)
      if (code < 0x20) {
        const escape = `\\u${code.toString(16).padStart(4, "0")}`
        return this.stop("found a control character in a text", `an escape such as ${escape}`, "")
      }
      if (code === 0x5c) {
        const escape = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.text.slice(this.at, this.at + 6))?.[0]
        if (escape === undefined) return this.badEscape()
        this.at += escape.length - 1
      }
    }
  }

  private badEscape(): never {
    return this.stop(
      `found the escape ${JSON.stringify(this.text.slice(this.at, this.at + 2))}`,
      'one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000',
      "double the backslash"
    )
  }

  private unclosed(start: number): never {
    this.at = start
    return this.stop("a text begins here and does not end on its line", "a closing double quote", "")
  }

  private list(depth: number): void {
    this.at++
    if (this.take("]")) return
    do {
      this.space()
      if (this.text[this.at] === "]") this.trailing("]")
      this.value(depth + 1)
    } while (this.take(","))
    if (!this.take("]")) this.unfit("`,` or `]`")
  }

  private trailing(end: string): never {
    return this.stop(`found "${end}" after a comma`, "another item", "remove the comma")
  }

  private object(depth: number): void {
    const keys = new Map<string, number>()
    this.at++
    if (this.take("}")) return
    do {
      this.space()
      if (this.text[this.at] === "}") this.trailing("}")
      const start = this.at
      const key = this.string()
      this.key(keys, key, start)
      if (!this.take(":")) this.unfit(`\`:\` after the key ${quoted(key, 60)}`)
      this.value(depth + 1)
    } while (this.take(","))
    if (!this.take("}")) this.unfit("`,` or `}`")
  }

  private key(keys: Map<string, number>, key: string, start: number): void {
    const first = keys.get(key)
    keys.set(key, start)
    if (first !== undefined)
      this.keyFault(start, () => [
        `the key ${quoted(key, 60)} stands twice in one object`,
        "each key once",
        `it is also on line ${this.lineOf(first)}; remove one`
      ])
    if (key === "__proto__")
      this.keyFault(start, () => ["the key `__proto__` cannot be used", "another key", ""])
  }
}
