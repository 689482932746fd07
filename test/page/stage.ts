import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import type { Place, PlaceOptions, RunOptions } from "../support/binary.ts"

/** A server of the compiled binary, and where it listens. */
export interface Server {
  readonly url: string
  readonly port: number
  readonly process: ReturnType<Place["start"]>
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

/** The address that a server says on stderr when it listens. */
export const listening = async (stderr: ReturnType<Place["start"]>["stderr"]): Promise<string> => {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader()
  let said = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`the server ended before it listened:\n${said}`)
    said += value
    const found = /Listening on (http:\/\/[^/"]+)\//.exec(said)
    if (found?.[1] === undefined) continue
    // What it says further is read, so that it never waits for a reader.
    void (async () => {
      while (!(await reader.read()).done);
    })()
    return found[1]
  }
}

/** Starts `up` or `serve` in a place, on a free port or on a given one. */
export const startServer = async (
  place: Place,
  command: "up" | "serve",
  args: ReadonlyArray<string> = [],
  options: RunOptions = {}
): Promise<Server> => {
  const process = place.start(
    [command, ...(args.includes("--port") ? [] : ["--port", "0"]), ...args],
    options
  )
  const url = await listening(process.stderr)
  return {
    url,
    port: Number(new URL(url).port),
    process,
    stop: async (signal = "SIGTERM") => {
      process.kill(signal)
      await process.exited
    }
  }
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** A browser, and what pages complained of: errors of scripts, of the console, of the content policy. */
export const openBrowser = async () => {
  const browser = await chromium.launch({ executablePath: Bun.which("chromium") ?? "chromium", args: FLAGS })
  const complaints: Array<string> = []
  const blank = async (
    options: Parameters<Browser["newContext"]>[0] = {}
  ): Promise<{ readonly context: BrowserContext; readonly page: Page }> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    context.on("weberror", (error) => complaints.push(`script: ${error.error().message}`))
    context.on("console", (message) => {
      if (message.type() === "error") complaints.push(`console: ${message.text()} ${message.location().url}`)
    })
    context.setDefaultTimeout(4_000)
    const page = await context.newPage()
    await page.addInitScript(
      `addEventListener("securitypolicyviolation", (event) => console.error("policy: " + event.violatedDirective + " " + event.blockedURI))`
    )
    return { context, page }
  }
  let tab: Page | undefined
  return {
    browser,
    complaints,
    /** A page of a context of its own, which is listened to. */
    open: async (url: string, options: Parameters<Browser["newContext"]>[0] = {}) => {
      const opened = await blank(options)
      await opened.page.goto(url)
      return opened
    },
    /**
     * The one tab of this browser that goes from case to case: a page of its own costs a process and its first
     * drawing, which is more than most cases do.
     */
    visit: async (url: string, width = 1_280, height = 900): Promise<Page> => {
      tab ??= (await blank()).page
      await tab.setViewportSize({ width, height })
      await tab.goto(url)
      return tab
    }
  }
}

/** Asks once a frame until it is so: what waits within the page would need what its content policy forbids. */
export const until = async (page: Page, expression: string): Promise<void> => {
  while (!(await page.evaluate(`new Promise((done) => requestAnimationFrame(() => done(${expression})))`)));
}

/** Scrolls on, frame by frame, until the page has so many of what a selector finds. */
export const scrolledTo = (page: Page, selector: string, count = 1): Promise<void> =>
  until(
    page,
    `(scrollTo(0, document.body.scrollHeight), document.querySelectorAll(${JSON.stringify(selector)}).length >= ${count})`
  )

/** A text that is markup in every way in which a page may take it for that. */
export const MARKUP = `<b>bold</b><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"'\`{{7*7}}`

/** What the script of the scene does with a task is what its payload says. */
const SCRIPT = `#!/bin/sh
case "$AGENT_RUNTIME_TASK_PAYLOAD_JSON" in
  *long*) i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo "line $i of the long one"; sleep 0.2; done ;;
  *heal*) [ -f healed ] && echo "healed at last" || echo '{"status":"blocked","operator_summary":"The key is missing.","machine_status":"blocked"}' ;;
  *which*) case "$(cat "$AGENT_RUNTIME_AUDIT_DIR/assembled-context.txt")" in
    *"the south one"*) echo "restarted the south one" ;;
    *) cat question.json ;;
  esac ;;
  *markup*) cat markup.json ;;
  *binary*) head -c 3000 /dev/urandom > "$AGENT_RUNTIME_ARTIFACT_DIR/pump.bin"
    echo '{"status":"completed","operator_summary":"Measured.","machine_status":"ok","artifact_paths":["pump.bin"]}' ;;
  *) echo "first line"; echo "said on stderr" >&2; echo "done as asked" ;;
esac
`

const markup = JSON.stringify({
  status: "blocked",
  operator_summary: MARKUP,
  machine_status: "blocked",
  artifact_paths: []
})

const question = JSON.stringify({
  status: "blocked",
  operator_summary: "One of the two has to be restarted.",
  machine_status: "blocked",
  question: {
    text: "Which pump?",
    choices: [
      "the north one",
      "the south one",
      "neither: look first whether the water is high enough, and restart the one that stands lower by itself"
    ]
  }
})

/** A place whose one adapter does what its tasks say. */
export const scene = (config: Readonly<Record<string, unknown>> = {}): PlaceOptions => ({
  config: {
    runtimeName: "pumphouse",
    dispatch: { concurrency: 2 },
    adapters: { local: { mode: "script", command: "./run.sh", timeoutMs: 120_000 } },
    skillDirs: ["skills"],
    ...config
  },
  files: {
    "run.sh": SCRIPT,
    "markup.json": markup,
    "question.json": question,
    "skills/mend-pump/SKILL.md": "# How"
  }
})
