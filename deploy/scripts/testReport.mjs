import { readFileSync } from "node:fs"
import { stripVTControlCharacters } from "node:util"

const entities = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }
const plain = (text) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, decimal, hex, name) =>
    decimal
      ? String.fromCodePoint(Number(decimal))
      : hex
        ? String.fromCodePoint(Number.parseInt(hex, 16))
        : (entities[name] ?? all)
  )

const attribute = (tag, name) => plain(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? "")

/** The cases of a JUnit file as bun writes it: `[{ name, file, seconds, skipped }]`; none when there is no file. */
export const readCases = (path) => {
  let xml
  try {
    xml = readFileSync(path, "utf8")
  } catch (error) {
    if (error.code === "ENOENT") return []
    throw error
  }
  return [...xml.matchAll(/<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)].map(
    ([, tag, , body = ""]) => ({
      name: [attribute(` ${tag}`, "classname"), attribute(` ${tag}`, "name")]
        .filter((part) => part !== "")
        .join(" > "),
      file: attribute(` ${tag}`, "file"),
      seconds: Number(attribute(` ${tag}`, "time")),
      skipped: body.includes("<skipped")
    })
  )
}

const total = (output, word) =>
  Number([...output.matchAll(new RegExp(`^ *(\\d+) ${word}s?$`, "gm"))].at(-1)?.[1] ?? 0)

/**
 * What bun counted at the end of its output. A run that ended badly without a failed test (it crashed, ran
 * out of time, or could not load a file) counts as one failure.
 */
export const countTests = (result) => {
  const output = stripVTControlCharacters(result.output)
  const failed = total(output, "fail")
  return {
    passed: total(output, "pass"),
    failed: result.ok ? failed : Math.max(failed, 1),
    skipped: total(output, "skip") + total(output, "todo")
  }
}

/** The ten slowest tests, a line each. */
export const slowest = (cases) =>
  [...cases]
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, 10)
    .map(({ seconds, file, name }) => `  ${seconds.toFixed(2).padStart(6)} s  ${file}: ${name}`)

/** Why tests were skipped, by what they lack: `test/support/needs.ts` puts `[needs X]` behind their names. */
export const notRun = (cases) => {
  const lacking = new Map()
  for (const { name, file, skipped } of cases) {
    if (!skipped) continue
    const reason = /\[(needs [^\]]+)\]$/.exec(name)?.[1] ?? "skipped in its source"
    lacking.set(reason, [
      ...(lacking.get(reason) ?? []),
      `${file}: ${name.replace(/ \[needs [^\]]+\]$/, "")}`
    ])
  }
  return [...lacking].flatMap(([reason, names]) => [
    `not run: ${reason}`,
    ...names.map((name) => `  ${name}`)
  ])
}
