/** A part of a URL without its percent-encoding. */
export const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that encodes nothing: the text is what it is.
    return text
  }
}

/** So short a user beside a password is a name. */
const LEAST_TOKEN = 16

/** Users beside a password that everybody knows: of git's hosts and registries. */
const WELL_KNOWN: ReadonlyArray<string> = [
  "x-access-token",
  "x-oauth-basic",
  "x-token-auth",
  "x-bitbucket-api-token-auth",
  "gitlab-ci-token",
  "personal-access-token",
  "project-access-token",
  "oauth2accesstoken",
  "service-account"
]

const isToken = (user: string): boolean =>
  user.length >= LEAST_TOKEN &&
  !WELL_KNOWN.includes(user.toLowerCase()) &&
  // A mail address is a name, however long, and so are words.
  !user.includes("@") &&
  /\d/.test(user)

/**
 * What of a URL's user info is secret, as it stands there and decoded: its password, and its user where that is all there
 * is or where it is itself a token, beside a password that means nothing (`https://ghp_...:x-oauth-basic@host`).
 */
export const userInfoSecrets = ({ password, username }: URL): ReadonlyArray<string> => {
  const secrets = password === "" || isToken(decoded(username)) ? [username, password] : [password]
  return [...new Set(secrets.flatMap((text) => [text, decoded(text)]))].filter((text) => text !== "")
}
