// The same as the command `serve`, for who starts the server by its source file.
const { start } = await import("./program.ts")

start("source", ["serve"])

export {}
