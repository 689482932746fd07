declare const VERSION: string | undefined

/** Built in; from source there is none. */
const version = typeof VERSION === "string" ? VERSION : "source"

// Answered before anything is loaded: scripts ask for it often.
if (process.argv.length === 3 && process.argv[2] === "--version") console.log(version)
else await (await import("./program.ts")).start(version)

export {}
