import { createHash } from "node:crypto"
import { Either } from "effect"
import { makeToken, type TokenFault, type TokenMark } from "../../src/config/TokenRules.ts"
import { readableByOthers } from "../adapter/EnvFile.ts"
import { readPlain } from "../config/PlainFile.ts"
import { codeOf } from "../SystemWord.ts"

/** Reads the token of a file, of whatever length; none of it is answered or told. */
export const readToken = (path: string): Either.Either<TokenMark, TokenFault> => {
  const refuse = (wrong: string, remedy = `write one: ${makeToken(path)}`) => Either.left({ wrong, remedy })
  try {
    const { bytes, mode } = readPlain(path)
    if (readableByOthers(mode)) return refuse("the file can be read by others", `chmod 600 ${path}`)
    const token = bytes.toString("utf8").trim()
    if (token === "") return refuse("the file is empty")
    if (/\s/.test(token)) return refuse("the token holds white space")
    // No request can carry one.
    if (/\p{Cc}/u.test(token)) return refuse("the token holds a control character")
    return Either.right({
      sha256: createHash("sha256").update(token, "utf8").digest("hex"),
      characters: [...token].length
    })
  } catch (cause) {
    return refuse(`the file cannot be read (${codeOf(cause)})`)
  }
}
