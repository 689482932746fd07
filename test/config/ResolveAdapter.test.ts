import { expect, test } from "bun:test"
import { Option } from "effect"
import { adapterSettings } from "../../src/config/ResolveAdapter.ts"

test.each([
  ["-1", -1],
  ["600", 600],
  [" 0 ", 0],
  [-1, -1],
  ["10m", "10m"],
  ["-1s", "-1s"]
])("keepAlive %p goes to Ollama as %p", (given, sent) => {
  const file = { mode: "ollama-generate", endpoint: "http://h:1", model: "m", keepAlive: given } as const
  expect(adapterSettings("o", file, "/", "/")).toMatchObject({ keepAlive: Option.some(sent) })
})
