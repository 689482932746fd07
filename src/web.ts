// The same as the command `serve`, for who starts the server by its source file.
const { start } = await import("./program.ts")

await start("source", ["serve"])

export {}
