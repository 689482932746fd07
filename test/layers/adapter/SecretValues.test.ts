import { expect, test } from "bun:test"
import { addressOf } from "../../../layers/adapter/ModelServerAddress.ts"
import { isSecret, maskedFor } from "../../../layers/adapter/SecretValues.ts"
import { redactorOf } from "../../../src/domain/Redactor.ts"

test("numbers, booleans, existing paths and URLs without user info are no secrets", () => {
  const plain = [
    ...["", "1", "-12.5", "1e6", "12345678", "true", "FALSE", "off"],
    ...["/tmp", "/usr/bin:/bin", "https://example.com/a?b=c", "redis://localhost:6379"]
  ]
  expect(plain.filter(isSecret)).toEqual([])
})

test("everything else is one", () => {
  const secrets = [
    ...["hunter22", "12 34", "1.2.3", "truely", "tmp", "/no/such/path", "/tmp:secret", "://x"],
    ...[
      "https://user:pass@example.com/",
      "https://token@example.com",
      "http://[",
      "1".repeat(100_000).concat("x")
    ]
  ]
  expect(secrets.filter((value) => !isSecret(value))).toEqual([])
})

test("the password of a URL is masked by itself, too", () => {
  expect(maskedFor("postgres://u:p%40ssword@h/db")).toEqual(
    expect.arrayContaining(["postgres://u:p%40ssword@h/db", "p%40ssword", "p@ssword"])
  )
  expect(maskedFor("https://ghp_token@github.com")).toContain("ghp_token")
  expect(maskedFor(" padded \n")).toContain("padded")
  expect(maskedFor("a://u:%zz-broken@h")).toContain("%zz-broken")
})

test("a token that stands as a URL's user is masked by itself beside a password that means nothing", () => {
  const token = "ghp_AbCdEf0123456789AbCdEf0123456789abcd"
  expect(maskedFor(`https://${token}:x-oauth-basic@github.com/o/r.git`)).toContain(token)
  expect(addressOf(`https://${token}:x@host/v1`).secrets).toContain(token)
  expect(maskedFor("https://a%2Bb0123456789abcdef:x@host")).toContain("a+b0123456789abcdef")
  for (const user of [
    "git",
    "oauth2",
    "x-access-token",
    "root",
    "oauth2accesstoken",
    "me.somebody.2@example.com"
  ])
    expect(maskedFor(`https://${user.replace("@", "%40")}:hunter22@host`)).not.toContain(user)
})

const LINES = [
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
  "  BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj  ",
  "x1y2z",
  "Mzb+tag="
]
const PEM = ["-----BEGIN PRIVATE KEY-----", ...LINES, "-----END PRIVATE KEY-----"]

test.each([
  ["line ends", "\n"],
  ["DOS line ends", "\r\n"],
  ["line ends written out", "\\n"]
])("a key with %s is masked by its lines as well, but for its frame and its short lines", (_, end) => {
  const { text } = redactorOf(maskedFor(PEM.join(end)))
  expect(text(`<${PEM.join(end)}>`)).toBe("<[redacted]>")
  expect(PEM.map((line) => text(line))).toEqual([
    "-----BEGIN PRIVATE KEY-----",
    "[redacted]",
    "  [redacted]  ",
    "x1y2z",
    "[redacted]",
    "-----END PRIVATE KEY-----"
  ])
})

test("a backslash and an n are a line end of keys only", () => {
  expect(maskedFor("hello\\network")).not.toContain("etwork")
})

test("a long secret is masked whole and in part, and does not make what is searched for any longer", () => {
  const secret = Array.from({ length: 500 }, (_, at) => `${at * at}🔑`).join("")
  const texts = maskedFor(secret)
  expect(Math.max(...texts.map(({ length }) => length))).toBeLessThan(300)
  expect(texts.filter((text) => !text.isWellFormed())).toEqual([])
  const { text } = redactorOf(texts)
  expect(text(`<${secret}>`)).toBe("<[redacted]>")
  for (const encoding of ["base64", "hex"] as const)
    expect(text(Buffer.from(secret).toString(encoding)).replaceAll("[redacted]", "").length).toBeLessThan(3)
  expect(text(secret.slice(0, 1_000)).length).toBeLessThan(300)
})
