import { describe, expect, test } from "bun:test"
import { Context, Effect, Layer, Option } from "effect"
import { bind, camel, command, type Definition, Session } from "../../src/cli/Command.ts"
import { session } from "../../src/cli/Output.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { program } from "../../src/program.ts"
import { definitionFaults } from "../support/commandRules.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"
import { sampleDefinitions, taskShow } from "../support/sampleCommands.ts"

class Greeting extends Context.Tag("test/Greeting")<Greeting, string>() {}

const globals = { config: Option.some("c.json"), output: Option.none(), logLevel: Option.none() }
const frame = <A, E>(effect: Effect.Effect<A, E, Terminal | Session>) => {
  const { service } = fakeTerminal()
  return effect.pipe(
    Effect.provideService(Terminal, service),
    Effect.provideService(Session, session("greet", globals, service))
  )
}

const greet = command({
  name: "greet",
  group: "Look",
  summary: "greet somebody",
  example: "agent-runtime greet you",
  arguments: [{ name: "who", required: true, description: "Whom." }],
  options: [{ name: "how-often", kind: "integer", default: 1, description: "How often." }],
  run: ({ who, howOften }) => Effect.map(Greeting, (word) => `${word} ${who} `.repeat(howOften).trim())
})

describe("a command", () => {
  it.effect("runs with the layer that it was bound to, made from the options of every command", () =>
    Effect.gen(function* () {
      const bound = bind(greet, ({ config }) =>
        Layer.succeed(
          Greeting,
          Option.getOrElse(config, () => "no config")
        )
      )
      const { value, exitCode } = yield* frame(bound.execute({ who: "you", howOften: 2 }, globals))
      expect({ value, exitCode }).toEqual({ value: "c.json you c.json you", exitCode: 0 })
    })
  )

  it.effect("fails with what its layer fails with", () =>
    Effect.gen(function* () {
      const bound = bind(greet, () => Layer.fail("no layer") as Layer.Layer<Greeting, string>)
      expect(yield* Effect.flip(frame(bound.execute({ who: "you", howOften: 1 }, globals)))).toBe("no layer")
    })
  )

  test("has its inputs in camelCase", () =>
    expect(["dry-run", "instance_key", "limit", "a-b_c"].map(camel)).toEqual([
      "dryRun",
      "instanceKey",
      "limit",
      "aBC"
    ]))
})

describe("the definitions of", () => {
  test("the program keep the rules of the command line", async () => {
    const { commands } = await program("1.2.3")
    expect(
      definitionFaults(
        "agent-runtime",
        commands.map((one) => one.definition)
      )
    ).toEqual([])
  })

  test("the samples do", () => expect(definitionFaults("agent-runtime", sampleDefinitions)).toEqual([]))

  const broken: ReadonlyArray<readonly [Partial<Definition>, string]> = [
    [{ example: "task-show a" }, "does not begin with agent-runtime"],
    [{ example: "agent-runtime task-show" }, "is wrong usage: ID is missing"],
    [{ example: "agent-runtime task-list" }, "is of another command"],
    [{ summary: "show one task." }, "without a full stop"],
    [{ options: [{ name: "config", kind: "text", description: "" }] }, "--config is there twice"],
    [{ options: [{ name: "x", short: "o", kind: "flag", description: "" }] }, "-o is there twice"],
    [{ options: [{ name: "id", kind: "flag", description: "" }] }, "two of its inputs are named id"]
  ]
  for (const [change, says] of broken)
    test(`a command do not when: ${says}`, () =>
      expect(
        definitionFaults("agent-runtime", [
          ...sampleDefinitions.filter((one) => one !== taskShow),
          { ...taskShow, ...change }
        ])
      ).toContainEqual(expect.stringContaining(says)))
})
