import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { table } from "./Doc.ts"

export const usage = command({
  name: "usage",
  group: "Look",
  summary: "tokens and cost by adapter and day",
  description: "Summed as attempts end, by days of UTC; what an adapter does not tell counts as nothing.",
  example: "agent-runtime usage --days 7",
  arguments: [],
  options: [
    {
      name: "days",
      kind: "integer",
      min: 1,
      max: 366,
      default: 30,
      description: "How many days, today included."
    }
  ],
  run: (input) => ask(async () => (await import("../operate/Usage.ts")).usage, input),
  view: ({ usage: rows }) => [
    table(
      [
        "day",
        { title: "adapter", keep: true },
        { title: "attempts", align: "right" },
        { title: "input", align: "right" },
        { title: "output", align: "right" },
        { title: "cached", align: "right" },
        { title: "cost in USD", align: "right" }
      ],
      rows.map((one) => [
        one.day,
        one.adapter_id,
        one.attempts,
        one.input_tokens,
        one.output_tokens,
        one.cached_tokens,
        one.cost_usd
      ]),
      "nothing has run in these days"
    )
  ]
})
