import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** A secret that scenes plant: a script is given it and prints it in every form. */
export const SECRET = 'hunter22"/w&rd+xq9Zk'

/** Shell that prints the secret `TOKEN` plain and encoded, to both streams and in two writes; it begins few processes. */
export const LEAKING = [
  'b=$(printf %s "$TOKEN" | base64); h=$(printf %s "$TOKEN" | od -An -tx1 | tr -d " \\n")',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
  'r=${TOKEN#?????????}; l=${TOKEN%"$r"}',
  'for to in 1 2; do { printf "plain %s\\n%s\\n%s\\n" "$TOKEN" "$b" "$h"; printf "half %s" "$l"; printf "%s end\\n" "$r"; } >&$to; done'
].join("\n")

/** Every text that the secret may not appear as; of base64 what does not depend on its neighbours. */
const forms: ReadonlyArray<string> = [
  SECRET,
  JSON.stringify(SECRET).slice(1, -1),
  encodeURIComponent(SECRET),
  Buffer.from(SECRET).toString("hex"),
  Buffer.from(SECRET).toString("hex").toUpperCase(),
  ...["", "a", "ab"].flatMap((before) => [
    Buffer.from(before + SECRET)
      .toString("base64")
      .slice(4, -4),
    Buffer.from(before + SECRET)
      .toString("base64url")
      .slice(4, -4)
  ])
]

/** Whether a text holds the secret, plain or encoded, also where white space divides it. */
export const leaks = (text: string): boolean => {
  const joined = text.replace(/\s/g, "")
  return forms.some((form) => text.includes(form) || joined.includes(form))
}

const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Files below a folder that hold the secret; those of more than `mostMib` are not read. */
export const leaksBelow = (folder: string, mostMib = 32): ReadonlyArray<string> =>
  filesBelow(folder).flatMap((file) => {
    try {
      return Bun.file(file).size <= mostMib * 1_048_576 && leaks(readFileSync(file, "latin1"))
        ? [`the secret is in ${file.slice(folder.length + 1)}`]
        : []
    } catch {
      return [] // A working file that is gone meanwhile.
    }
  })

/** Processes whose arguments hold the secret. */
export const leaksInArguments = (): ReadonlyArray<string> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ")
        return leaks(line) ? [`the secret is in the arguments of process ${name}`] : []
      } catch {
        return [] // It ended meanwhile.
      }
    })
