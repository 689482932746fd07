const unicode = (text: string): string =>
  text
    .split("")
    .map((unit) => `\\u${Buffer.from(unit, "utf16le").swap16().toString("hex")}`)
    .join("")

const upperUnicode = (text: string): string => unicode(text).toUpperCase().replaceAll("\\U", "\\u")

/** JSON as .NET writes it: beside what must be escaped, all that means something in a page. */
const dotNet = (value: string): string =>
  JSON.stringify(value)
    .slice(1, -1)
    .replaceAll('\\"', "\u0000")
    .replace(/[+`'<>&\u007f-\uffff]/g, upperUnicode)
    .replaceAll("\u0000", "\\u0022")

/** Hex digits of escapes whose case changes from one to the next, as where several writers had a part. */
const mixed = (text: string): string => {
  let at = 0
  return text.replace(/%[0-9a-f]{2}|\\u[0-9a-f]{4}/gi, (found) =>
    found.replace(/[a-f]/gi, (digit) => (at++ % 2 === 0 ? digit.toUpperCase() : digit.toLowerCase()))
  )
}

/** PHP's json_encode with some of its JSON_HEX_ flags: by itself it escapes slashes and what is not ASCII. */
const php =
  (characters: string) =>
  (value: string): string =>
    JSON.stringify(value)
      .slice(1, -1)
      .replaceAll('\\"', "\u0000")
      .replace(/[<>&'\u0080-\uffff]/g, (one) =>
        characters.includes(one) || one > "\u0080"
          ? `\\u${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`
          : one
      )
      .replaceAll("\u0000", characters.includes('"') ? "\\u0022" : '\\"')
      .replaceAll("/", "\\/")

/** Percent-encoding of every byte but the characters that are kept. */
const percent =
  (kept: RegExp, space = "%20") =>
  (value: string): string =>
    [...Buffer.from(value)]
      .map((byte) => {
        const one = String.fromCharCode(byte)
        if (one === " ") return space
        return kept.test(one) ? one : `%${Buffer.of(byte).toString("hex").toUpperCase()}`
      })
      .join("")

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

const asciiJson = (value: string): string =>
  inJson(value).replace(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`)

const inLines = (value: string, end: string): string =>
  Buffer.from(`${"-".repeat(40)}${value}`)
    .toString("base64")
    .replace(/.{16}/g, (line) => line + end)

/** Each line decorated, as tools do that show, quote or wrap the lines of a text. */
const decorated =
  (before: string, behind = "", encoding: "base64" | "hex" = "base64") =>
  (value: string): string =>
    Buffer.from(`${"-".repeat(20)}${value}`)
      .toString(encoding)
      .replace(/.{1,16}/g, (line) => `${before}${line}${behind}\n`)

/** JSON of base64 as .NET writes it, its digits in either case. */
const dotNetBase64 = (value: string): string =>
  Buffer.from(`>>?${value}`)
    .toString("base64")
    .replace(/[+/=]/g, (one) => {
      const escape = unicode(one)
      return one === "+" ? escape : upperUnicode(one)
    })

/** What encoders make of a value, by Node's own means: an oracle that shares nothing with the Redactor. */
export const encodings: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  base64: (value) => Buffer.from(value).toString("base64"),
  "base64 after one byte": (value) => Buffer.from(`:${value}`).toString("base64"),
  "base64 after two bytes": (value) => Buffer.from(`a:${value}`).toString("base64"),
  "base64 inside": (value) => Buffer.from(`user:${value}@host`).toString("base64"),
  "base64url inside": (value) => Buffer.from(`{"k":"${value}"}`).toString("base64url"),
  "base64 in lines": (value) => inLines(value, "\n"),
  "base64 in lines, in JSON": (value) => inJson(inLines(value, "\n")),
  "base64 in lines of CRLF, in JSON": (value) => inJson(inLines(value, "\r\n")),
  "base64 in indented lines, in JSON": (value) => inJson(inLines(value, "\n\t")),
  "base64 in lines, in JSON in JSON": (value) => inJson(inJson(inLines(value, "\n"))),
  "base64 in PHP's JSON": (value) => php("")(Buffer.from(value).toString("base64")),
  "base64 in a URL": (value) => encodeURIComponent(Buffer.from(`user:${value}`).toString("base64")),
  "base64 in a lower-case URL": (value) =>
    encodeURIComponent(Buffer.from(`user:${value}`).toString("base64")).replace(/%../g, (code) =>
      code.toLowerCase()
    ),
  "hex in lines, in JSON": (value) => inJson(Buffer.from(value).toString("hex").replace(/.{6}/g, "$&\n")),
  "base64 in indented lines": (value) => Buffer.from(value).toString("base64").replace(/.{4}/g, "$&\r\n    "),
  "base64 in a diff": decorated("+"),
  "base64 in what a diff takes away": decorated("-"),
  "base64 in a diff of a merge": decorated("++"),
  "base64 in a diff, in JSON in JSON": (value) => inJson(inJson(decorated("+")(value))),
  "base64 in a diff, in .NET's JSON": (value) => dotNet(decorated("+")(value)),
  "base64 in far indented lines": decorated(" ".repeat(64)),
  "base64 in a quoted mail": decorated("> > "),
  "base64 in a table": decorated("| ", " |"),
  "base64 in a comment": decorated("   // "),
  "base64 in a comment with stars": decorated(" * "),
  "base64 in quotes, joined": decorated('  "', '" +'),
  "base64 in a list of texts": decorated("  '", "',"),
  "base64 in a list of texts in a diff of CRLF": decorated("+  '", "',\r"),
  "base64 in lines that go on": decorated("", " \\"),
  "base64 in a frame": decorated("\u2502 ", " \u2502"),
  "base64, quoted-printable": decorated("", "="),
  "hex in a diff": decorated("+", "", "hex"),
  "hex in quotes, joined, in JSON": (value) => inJson(decorated('  "', '" +', "hex")(value)),
  "base64 in .NET's JSON": dotNetBase64,
  "base64 in .NET's JSON in JSON": (value) => inJson(dotNetBase64(value)),
  hex: (value) => Buffer.from(value).toString("hex"),
  "upper-case hex": (value) => Buffer.from(value).toString("hex").toUpperCase(),
  "hex in groups": (value) => Buffer.from(value).toString("hex").replace(/../g, "$& "),
  "hex with colons": (value) => Buffer.from(value).toString("hex").replace(/../g, "$&:"),
  URL: encodeURIComponent,
  "a whole URL": encodeURI,
  "lower-case URL": (value) => encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
  form: (value) => new URLSearchParams({ k: value }).toString().slice(2),
  "URL of letters and digits alone": percent(/[a-z0-9]/i),
  "URL by RFC 1738": percent(/[a-z0-9_.-]/i),
  "PHP's form": percent(/[a-z0-9_.-]/i, "+"),
  ".NET's form": (value) =>
    percent(/[a-z0-9_.!*()-]/i, "+")(value).replace(/%../g, (code) => code.toLowerCase()),
  "JSON with all punctuation escaped": (value) => value.replace(/[^a-z0-9]/gi, unicode),
  "every byte URL": (value) => Buffer.from(value).toString("hex").toUpperCase().replace(/../g, "%$&"),
  JSON: inJson,
  "JSON with escaped slashes": (value) => JSON.stringify(value).slice(1, -1).replaceAll("/", "\\/"),
  "ASCII JSON": asciiJson,
  "JSON for a page, in lower case": (value) => JSON.stringify(value).slice(1, -1).replace(/[<>&]/g, unicode),
  "JSON for a page, in upper case": dotNet,
  "JSON for a page with escaped slashes": (value) => dotNet(value).replaceAll("/", "\\/"),
  "JSON in escapes alone": unicode,
  "JSON in upper-case escapes alone": upperUnicode,
  "JSON in escapes alone, in JSON": (value) => inJson(unicode(value)),
  "mixed-case hex": (value) =>
    mixed(Buffer.from(value).toString("hex").replace(/../g, "%$&")).replaceAll("%", ""),
  "mixed-case URL": (value) => mixed(encodeURIComponent(value)),
  "mixed-case JSON escapes": (value) => mixed(unicode(value)),
  "PHP's JSON": php(""),
  "PHP's JSON with quotes and ampersands": php('"&'),
  "PHP's JSON with tags and apostrophes": php("<>'"),
  "JSON in JSON": (value) => inJson(inJson(value)),
  "JSON three deep": (value) => inJson(inJson(inJson(value))),
  "JSON four deep": (value) => inJson(inJson(inJson(inJson(value)))),
  "ASCII JSON three deep": (value) => inJson(inJson(asciiJson(value))),
  "JSON in escapes alone, three deep": (value) => inJson(inJson(unicode(value))),
  "PHP's JSON three deep": (value) => php("")(php("")(php("")(value))),
  "base64 of JSON": (value) => Buffer.from(JSON.stringify({ p: value })).toString("base64"),
  "base64 of ASCII JSON": (value) => Buffer.from(`{"pw":"${asciiJson(value)}"}`).toString("base64"),
  "URL of JSON": (value) => encodeURIComponent(JSON.stringify({ p: value }))
}

/** Parts of encoded bytes that nothing beside the value takes part in: they must not be found anywhere. */
export const traces = (value: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(value)
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "")
    return text.slice(before === 0 ? 0 : before + 1, -1)
  })
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))
  ]
}
