declare const VERSION: string | undefined

/** Built in, with the schema: `0.1.0 (schema 1)`; from source there is none. */
const version = typeof VERSION === "string" ? VERSION : "source"

// Answered before anything is loaded: scripts ask for it often.
if (process.argv.length === 3 && process.argv[2] === "--version") console.log(`agent-runtime ${version}`)
else await (await import("./program.ts")).start(version)

export {}
