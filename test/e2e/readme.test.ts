import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"
import { makeSourceTree } from "../support/sourceTree.ts"

setDefaultTimeout(60_000)

const readme = await Bun.file(join(import.meta.dir, "../../README.md")).text()

// npm itself is what runs this test; the path is set by the shell of the test.
const isLeftOut = (line: string): boolean => /^(npm |export PATH=)/.test(line)

const blocks = [...readme.matchAll(/```bash\n(.*?)```/gs)]
  .map(([, block]) =>
    (block ?? "")
      .split("\n")
      .filter((line) => !isLeftOut(line))
      .join("\n")
      .trim()
  )
  .filter((block) => block !== "")

describe("the README's commands run one after the other in a fresh tree", () => {
  let tree: Awaited<ReturnType<typeof makeSourceTree>>
  beforeAll(async () => {
    tree = await makeSourceTree()
  })
  afterAll(() => tree.remove())

  test("are several blocks", () => {
    expect(blocks.length).toBeGreaterThan(4)
  })

  // Each block starts some commands from source, each of which takes seconds on a machine that is busy.
  test.each(blocks)("block %#", async (block) => {
    const { code, stderr } = await tree.shell(block)
    expect({ block, code, stderr }).toEqual({ block, code: 0, stderr: "" })
  })
})

test("the README names the two commands that a newcomer needs", () => {
  expect(readme).toContain("npm run demo")
  expect(readme).toContain("npm test")
})
