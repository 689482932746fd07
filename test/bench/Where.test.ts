import { expect, test } from "bun:test"
import { shares } from "./Where.ts"

test("a trace tells what the time went to: the child's own calls and what runs beside it are the child's", () => {
  const trace = [
    "10  100.000000 fsync(6</s/runtime.db-wal>) = 0 <0.100000>",
    '10  100.100000 openat(AT_FDCWD</s>, "/s/artifacts/a", O_WRONLY) = 7</s/artifacts/a> <0.010000>',
    "10  100.150000 fsync(7</s/artifacts/a> <unfinished ...>",
    "10  100.240000 <... fsync resumed>) = 0 <0.090000>",
    "10  100.300000 vfork( <unfinished ...>",
    '20  100.310000 execve("/bin/true", ["/bin/true"], 0x1 /* 1 vars */ <unfinished ...>',
    "10  100.320000 <... vfork resumed>) = 20 <0.020000>",
    '20  100.330000 openat(AT_FDCWD</s>, "/s/of-the-child", O_RDONLY) = 3</s/of-the-child> <0.010000>',
    "10  100.350000 fsync(6</s/runtime.db-wal>) = 0 <0.010000>",
    "20  100.500000 +++ exited with 0 +++",
    '10  100.600000 openat(AT_FDCWD</s>, "/proc/1/stat", O_RDONLY) = 9</proc/1/stat> <0.050000>'
  ].join("\n")
  const { commits, files, processes, rest, spawn } = shares(trace, 100, 101)
  expect([spawn, commits, files, processes, rest].map((share) => share.toFixed(2))).toEqual([
    "0.20",
    "0.10",
    "0.10",
    "0.05",
    "0.55"
  ])
})
