/** The part of a file that is asked for: from a byte, so many of them. */
export interface Part {
  readonly from: number
  readonly length: number
}

/**
 * The one part that a Range header asks for of so many bytes (RFC 9110, section 14): undefined when it asks for none,
 * or for what this server does not do (several parts, other units), and then gets all; "unsatisfiable" when the file
 * has no such bytes.
 */
export const partOf = (header: string | undefined, size: number): Part | "unsatisfiable" | undefined => {
  const found = /^bytes=(\d*)-(\d*)$/i.exec(header?.replaceAll(" ", "") ?? "")
  if (found === null) return undefined
  const [, first = "", last = ""] = found
  if (first === "" && last === "") return undefined
  if (first === "") {
    const length = Math.min(Number(last), size)
    return length === 0 ? "unsatisfiable" : { from: size - length, length }
  }
  if (last !== "" && Number(last) < Number(first)) return undefined
  if (Number(first) >= size) return "unsatisfiable"
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1)
  return { from: Number(first), length: end - Number(first) + 1 }
}
