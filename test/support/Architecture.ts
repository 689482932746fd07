import { dirname, join } from "node:path"

/** A file of the project: its path from the top level, with `/`, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** The folders of src in the order in which they may import: each imports itself and those before it. */
export const order = [
  "domain",
  "config",
  "artifact",
  "store",
  "schedule",
  "workflow",
  "intake",
  "adapter",
  "context",
  "evidence",
  "dispatch",
  "operate",
  "http",
  "cli"
]

const entryPoints = ["src/cli.ts", "src/program.ts", "src/web.ts"]
const MOST_LINES = 300
const MOST_LINES_OF_A_TEST = 500

/** Packages that src may use, and the folders that may use them (`*` is every folder). */
const packages: ReadonlyArray<{ readonly name: RegExp; readonly folders: ReadonlyArray<string> }> = [
  { name: /^effect(\/|$)/, folders: ["*"] },
  { name: /^canonicalize$/, folders: order.filter((folder) => folder !== "domain") },
  { name: /^@effect\/platform(\/|$)/, folders: ["http", "cli"] },
  { name: /^@effect\/(cli|printer|printer-ansi)(\/|$)/, folders: ["cli"] },
  { name: /^preact(\/|$)/, folders: ["page"] }
]

const clockReads: ReadonlyArray<RegExp> = [
  /\bDate\s*\.\s*now\b/,
  /\bnew\s+Date\s*(\(\s*\)|(?!\s*\())/,
  /(?<!\.|\bnew\s+)\bDate\(\s*\)/,
  /\bperformance\s*\.\s*now\b/,
  /\bBun\s*\.\s*nanoseconds\b/,
  /\bprocess\s*\.\s*(hrtime|uptime)\b/,
  /\b(datetime|date|time|julianday|unixepoch|strftime)\s*\([^)]*'now'/i,
  /\b(datetime|julianday|unixepoch)\s*\(\s*\)/i,
  /\bCURRENT_(TIMESTAMP|TIME|DATE)\b/
]

// A slash begins a regular expression where no value can have ended before it.
const opensRegex = (before: string): boolean =>
  /(^|[([{,;=:!&|?+\-*%<>~^}]|\b(return|typeof|case|yield|await|in|of))\s*$/.test(before)

const tokens =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`|\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g

/** The text without its comments; positions of lines stay. SQL's `--` comments go where `sql` is set. */
export const withoutComments = (text: string, sql = false): string => {
  if (sql) return text.replace(/--[^\n]*/g, "")
  let out = ""
  let from = 0
  tokens.lastIndex = 0
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    const [token] = found
    out += text.slice(from, found.index)
    from = found.index + token.length
    if (token.startsWith("//") || token.startsWith("/*")) out += token.replace(/[^\n]/g, " ")
    else if (token.startsWith("/") && !opensRegex(out.slice(-20))) {
      from = found.index + 1
      tokens.lastIndex = from
      out += "/"
    } else out += token
  }
  return out + text.slice(from)
}

interface Import {
  readonly target: string
  readonly typeOnly: boolean
}

const importsOf = (code: string): ReadonlyArray<Import> => [
  ...[
    ...code.matchAll(
      /(?:^|[;\n])\s*(?:import|export)\s+(type\s)?(?:[\w$*\s{},]*?\bfrom\s*)?["']([^"']+)["']/g
    )
  ].map((found) => ({
    target: found[2] ?? "",
    typeOnly: found[1] !== undefined
  })),
  ...[...code.matchAll(/\b(?:import|require)\s*\(\s*["'`]([^"'`]+)["'`]/g)].map((found) => ({
    target: found[1] ?? "",
    typeOnly: false
  }))
]

const isRelative = (target: string) => target.startsWith("./") || target.startsWith("../")

const resolve = (path: string, target: string) => join(dirname(path), target)

const folderOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1]

const importOfSource = (
  path: string,
  folder: string,
  to: string,
  { typeOnly }: Import
): ReadonlyArray<string> => {
  if (to.startsWith("layers/")) return [`${path} imports ${to}: only the entry points import layers/`]
  if (folder === "cli" && /^fixtures\/[^/]+\.json$/.test(to)) return []
  if (!to.startsWith("src/")) return [`${path} imports ${to}: src/ imports nothing outside itself`]
  const other = folderOf(to)
  if (folder === "page") {
    const fits = other === "page" || (to === "src/http/Client.ts" && typeOnly)
    return fits ? [] : [`${path} imports ${to}: the page imports only itself and types of src/http/Client.ts`]
  }
  if (other === undefined) return [`${path} imports ${to}: nobody imports an entry point`]
  if (other === "page" && folder === "http") return []
  return order.indexOf(other) >= 0 && order.indexOf(other) <= order.indexOf(folder)
    ? []
    : [`${path} imports ${to}: ${folder}/ comes before ${other}/ and may not import it`]
}

const importOfPackage = (path: string, folder: string, name: string): ReadonlyArray<string> => {
  if (/^(bun|bun:.*|node:.*|@effect\/platform-bun(\/.*)?|@effect\/sql.*)$/.test(name))
    return [`${path} imports ${name}: the world is touched only below layers/ and in the entry points`]
  const known = packages.find((one) => one.name.test(name))
  if (known === undefined) return [`${path} imports ${name}: not one of the packages that src/ may use`]
  return known.folders.includes("*") || known.folders.includes(folder)
    ? []
    : [`${path} imports ${name}: only ${known.folders.map((one) => `${one}/`).join(" and ")} may`]
}

/** Who imports whom. */
export const direction = ({ path, text }: Source): ReadonlyArray<string> => {
  const imports = importsOf(withoutComments(text))
  if (path.startsWith("layers/"))
    return imports.flatMap(({ target }) => {
      const to = isRelative(target) ? resolve(path, target) : ""
      return /^src\/((operate|http|cli|page)\/|[^/]+$)/.test(to)
        ? [`${path} imports ${to}: layers/ never imports operate/, http/, cli/, the page or an entry point`]
        : []
    })
  if (!path.startsWith("src/") || entryPoints.includes(path)) return []
  const folder = folderOf(path)
  if (folder === undefined || !(order.includes(folder) || folder === "page"))
    return [`${path}: src/ holds ${entryPoints.join(", ")} and the folders ${order.join(", ")}, page`]
  return imports.flatMap((one) =>
    isRelative(one.target)
      ? importOfSource(path, folder, resolve(path, one.target), one)
      : importOfPackage(path, folder, one.target)
  )
}

/** The world enters src by services, not by globals. */
export const globals = ({ path, text }: Source): ReadonlyArray<string> => {
  const folder = folderOf(path)
  if (folder === undefined || folder === "page") return []
  const found = /(?<![\w$."'`/-])(Bun|process)\s*\.\s*[a-z]\w*/.exec(withoutComments(text))
  return found === null
    ? []
    : [`${path} uses ${found[0]}: the world is touched only below layers/ and in the entry points`]
}

/** Time comes from the Clock service. */
export const clock = ({ path, text }: Source): ReadonlyArray<string> => {
  if (!/^(src|layers)\//.test(path) || path.startsWith("src/page/")) return []
  const code = withoutComments(text, path.endsWith(".sql"))
  return [...clockReads, /\bsetInterval\s*\(/].flatMap((read) => {
    const found = read.exec(code)
    return found === null
      ? []
      : [`${path} reads the clock (${found[0].trim()}): time comes from the Clock service`]
  })
}

/** How a module looks from outside. */
export const modules = ({ path, text }: Source): ReadonlyArray<string> => {
  if (!/\.tsx?$/.test(path) || path.endsWith(".d.ts")) return []
  const code = withoutComments(text)
  const name = path.slice(path.lastIndexOf("/") + 1)
  return [
    ...(/^[ \t]*export\s+(default\b|\{[^}]*\bas\s+default\b)/m.test(code) && !/\.config\.ts$/.test(name)
      ? [`${path} has a default export`]
      : []),
    ...(/^index\.tsx?$/.test(name) || /^[ \t]*export\s+(type\s+)?(\*|\{[^}]*\}\s*from\b)/m.test(code)
      ? [`${path} is a barrel: import a name from the file that defines it`]
      : []),
    ...(/^(utils?|helpers?|common|types|misc|shared)\.tsx?$/i.test(name)
      ? [`${path}: a file is named after its noun or verb`]
      : []),
    ...importsOf(code)
      .filter(({ target }) => isRelative(target) && !/\.[a-z]+$/.test(target))
      .map(({ target }) => `${path} imports ${target} without its extension`)
  ]
}

/** How long a file may be. */
export const size = ({ path, text }: Source): ReadonlyArray<string> => {
  if (!/\.(tsx?|mjs)$/.test(path)) return []
  const most = path.startsWith("test/") ? MOST_LINES_OF_A_TEST : MOST_LINES
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0)
  return lines > most ? [`${path} has ${lines} lines, ${most} are the most`] : []
}

/** What the typed client drags in: it must be usable without the dispatcher. */
export const clientIsLight = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const seen = new Set(["src/http/Client.ts"])
  for (const path of seen)
    for (const { target } of importsOf(withoutComments(byPath.get(path)?.text ?? "")))
      if (isRelative(target)) seen.add(resolve(path, target))
  return [...seen]
    .filter((path) => path.startsWith("src/dispatch/"))
    .map((path) => `src/http/Client.ts pulls in ${path}`)
}

/** Everything that the sources do against the rules of the project's architecture, a sentence each. */
export const violations = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => [
  ...sources.flatMap((source) => [direction, globals, clock, modules, size].flatMap((rule) => rule(source))),
  ...clientIsLight(sources)
]
