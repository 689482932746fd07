import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { isHosted, replayGrade } from "../../src/context/Replay.ts"
import { agentCli, ollama, openai, script } from "./world.ts"

const nowhere = { path: Option.none(), repository: false, gitSha: Option.none(), dirty: Option.none() }
const tree = (dirty: boolean, gitSha = Option.some("abc")) => ({
  path: Option.some("work"),
  repository: true,
  gitSha,
  dirty: Option.some(dirty)
})
const input = (cached: boolean) => ({ name: "a", cached, sha256: Option.none() })

describe("the replay grade", () => {
  test("is inputs_frozen for a script without a repository, and with a clean one", () => {
    expect(replayGrade(script(), { workspace: nowhere, externalInputs: [] })).toBe("inputs_frozen")
    expect(replayGrade(script(), { workspace: tree(false), externalInputs: [input(true)] })).toBe(
      "inputs_frozen"
    )
  })

  test("is best_effort with a dirty or unborn repository or an uncached input", () => {
    expect(replayGrade(script(), { workspace: tree(true), externalInputs: [] })).toBe("best_effort")
    expect(replayGrade(ollama(), { workspace: tree(false, Option.none()), externalInputs: [] })).toBe(
      "best_effort"
    )
    expect(replayGrade(script(), { workspace: nowhere, externalInputs: [input(true), input(false)] })).toBe(
      "best_effort"
    )
  })

  test("is non_replayable_model for a hosted model, whatever else holds", () => {
    expect(replayGrade(agentCli(), { workspace: nowhere, externalInputs: [] })).toBe("non_replayable_model")
    expect(replayGrade(openai(), { workspace: tree(true), externalInputs: [] })).toBe("non_replayable_model")
  })
})

const servers: ReadonlyArray<readonly [endpoint: string, hosted: boolean]> = [
  ["http://127.0.0.1:1", false],
  ["http://localhost:11434/v1", false],
  ["http://[::1]:8080", false],
  ["http://192.168.1.20:8080", false],
  ["http://10.0.0.7", false],
  ["http://172.20.0.1", false],
  ["http://gpu.lan:11434", false],
  ["http://[fd00::1]:1", false],
  ["http://172.32.0.1", true],
  ["http://11.0.0.7", true],
  ["https://api.example.com/v1", true],
  ["https://127.0.0.1.example.com", true],
  ["https://localhost.example.com", true],
  ["no address", true]
]

describe("a model server", () => {
  for (const [endpoint, hosted] of servers)
    test(`at ${endpoint} is ${hosted ? "somebody else's" : "one's own"}`, () => {
      expect(isHosted(openai({ endpoint }))).toBe(hosted)
      expect(isHosted(ollama({ endpoint }))).toBe(hosted)
      expect(isHosted(agentCli({ provider: { providerBaseUrl: endpoint } }))).toBe(hosted)
    })

  test("that hands a cloud model on is hosted", () => {
    expect(["big:120b-cloud", "big:cloud", "cloudy"].map((model) => isHosted(ollama({ model })))).toEqual([
      true,
      true,
      false
    ])
  })
})
