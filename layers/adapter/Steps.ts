import { DateTime, Schema } from "effect"
import type { LogFile } from "../../src/artifact/AuditFolder.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { StepMark } from "../../src/domain/Step.ts"
import type { Mark } from "./drivers/Driver.ts"
import { plainly } from "./Lines.ts"

const MOST_TARGET = 500
const MOST_NAME = 100

const line = Schema.encodeSync(Schema.parseJson(StepMark))

/**
 * Writes step marks into a log as they come, a JSON object a line, with the time that `nowMillis` tells. Each
 * text is masked before it is cut to one line.
 */
export const stepsInto = (log: LogFile, redactor: Redactor, nowMillis: () => number) => {
  const plain = plainly(redactor)
  return (marks: ReadonlyArray<Mark>): void => {
    for (const { id, ok, target, tool } of marks) {
      const mark: StepMark = {
        id: plain(id, MOST_NAME),
        at: DateTime.unsafeMake(nowMillis()),
        ...(tool === undefined ? {} : { tool: plain(tool, MOST_NAME) }),
        ...(target === undefined ? {} : { target: plain(target, MOST_TARGET) }),
        ...(ok === undefined ? {} : { ok })
      }
      log.write(Buffer.from(`${line(mark)}\n`))
    }
  }
}
