import { expect, setDefaultTimeout, test } from "bun:test"
import { chmod } from "node:fs/promises"
import { Schema } from "effect"
import type { Place, RunOptions } from "../support/binary.ts"
import { inPlace, queue } from "./inPlace.ts"

setDefaultTimeout(60_000)

const Report = Schema.Struct({
  ok: Schema.Boolean,
  checks: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      ok: Schema.Boolean,
      problems: Schema.Array(Schema.String),
      warnings: Schema.Array(Schema.String)
    })
  )
})

const doctor = async (place: Place, options: RunOptions = {}) => {
  const told = await place.run(["healthcheck", "-o", "json"], options)
  const { checks, ok } = Schema.decodeUnknownSync(Schema.parseJson(Report))(told.stdout)
  const of = (id: string) => checks.find((one) => one.id === id)
  return { code: told.code, ok, of, ids: checks.map(({ id }) => id) }
}

test("the doctor looks at rights, clock, dispatcher, units and producers, and names what mends them", () =>
  inPlace({}, async (place) => {
    const well = await doctor(place)
    expect([well.code, well.ok]).toEqual([0, true])
    expect(well.ids).toEqual(["permissions", "clock", "dispatcher", "units", "producers", "http"])
    expect(well.of("permissions")).toMatchObject({ problems: [], warnings: [] })

    await queue(place)
    await chmod(place.folder, 0o755)
    await chmod(place.state, 0o777)
    // A service manager as it answers: one of our units has failed.
    await place.write("run/systemd/private", "")
    await place.write(
      "bin/systemctl",
      `#!/bin/sh
[ "$1" = --user ] || exit 1
echo '[{"unit":"agent-runtime-dispatch@a.service","load":"loaded","active":"failed","sub":"failed","description":"x"}]'
`
    )
    const env = { XDG_RUNTIME_DIR: place.path("run"), PATH: `${place.path("bin")}:${process.env.PATH}` }
    const ill = await doctor(place, { env })
    expect([ill.code, ill.ok]).toEqual([1, false])
    expect(ill.of("permissions")?.problems).toEqual([
      `stateDir can be written by others: ${place.state}; chmod 700 ${place.state}`
    ])
    expect(ill.of("units")?.problems[0]).toStartWith("agent-runtime-dispatch@a.service has failed")
    expect(ill.of("dispatcher")?.warnings).toEqual([
      "1 task waits and no dispatcher is running; agent-runtime dispatch"
    ])
    const table = await place.run(["healthcheck", "-o", "table"], { env })
    expect(table.stdout).toContain("permissions")
    expect(table.stdout).toContain("chmod 700")
  }))
