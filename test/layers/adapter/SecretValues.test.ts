import { expect, test } from "bun:test"
import { isSecret, maskedFor } from "../../../layers/adapter/SecretValues.ts"

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
