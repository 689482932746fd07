import { type Definition, globalOptions, type OptionDefinition, type Shell } from "./Command.ts"

// What @effect/cli cannot know: ids and names that exist at this moment. The hidden command `complete` tells them;
// a shell asks it with the --config that stands on the line.

/** A place on the command line whose word names something that exists. */
interface Place {
  readonly command: string
  /** `--adapter`; undefined for an argument. */
  readonly option: string | undefined
  /** The argument's place, from 1. */
  readonly at: number
  readonly kind: string
  readonly description: string
}

const optionPlace = (command: string, option: OptionDefinition): ReadonlyArray<Place> =>
  option.kind === "flag" || option.live === undefined
    ? []
    : [
        {
          command,
          option: `--${option.name}`,
          at: 0,
          kind: option.live,
          description: option.description
        }
      ]

const placesOf = ({ arguments: places, name, options }: Definition): ReadonlyArray<Place> => [
  ...options.flatMap((one) => optionPlace(name, one)),
  ...places.flatMap((one, at) =>
    one.live === undefined
      ? []
      : [{ command: name, option: undefined, at: at + 1, kind: one.live, description: one.description }]
  )
]

/** The completion script of a shell with what exists now added to it. */
export const withLive = (
  program: string,
  definitions: ReadonlyArray<Definition>,
  shell: Shell,
  lines: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const places = definitions.flatMap(placesOf)
  switch (shell) {
    case "bash":
      return [...lines, bash(program, definitions, places)]
    case "zsh":
      return zsh(program, places, lines)
    case "fish":
      return [FISH_FUNCTION, ...lines.map((line) => fishLine(places, line))]
  }
}

/** A label of a `case` with several patterns; none matches nothing. */
const label = (patterns: ReadonlyArray<string>, then: string): string =>
  patterns.length === 0 ? "" : `        ${patterns.join("|")}) ${then} ;;`

/** Options of which one value may hold several words, by the command before them, with those words. */
const severalOf = ({ name, options }: Definition): ReadonlyArray<readonly [pattern: string, words: string]> =>
  options.flatMap((one) =>
    one.kind === "choice" && one.separator !== undefined
      ? valued(one).map((option) => [`${name},${option}`, one.values.join(" ")] as const)
      : []
  )

const valued = ({ kind, name, short }: OptionDefinition): ReadonlyArray<string> =>
  kind === "flag" ? [] : [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]

// Names are data, some of them from outside: `compgen -W` would expand what it is given, so it is not used.
const bash = (
  program: string,
  definitions: ReadonlyArray<Definition>,
  places: ReadonlyArray<Place>
): string => {
  const global = globalOptions.flatMap(valued)
  const options = places.filter(({ option }) => option !== undefined)
  const several = definitions.flatMap(severalOf)
  const own = new Set([
    ...options.map(({ command, option }) => `${command},${option}`),
    ...several.map(([pattern]) => pattern)
  ])
  const commands = new Map(places.filter(({ at }) => at > 0).map((one) => [one.command, one.kind]))
  const others = definitions
    .filter(({ name }) => commands.has(name))
    .flatMap((one) => one.options.flatMap(valued).map((option) => `${one.name},${option}`))
    .filter((pattern) => !own.has(pattern))
  return `_${program}_live() {
    local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" cmd="" kind="" several="" word at
    local -a with=()
    for (( at = 1; at < COMP_CWORD; at++ )); do
        case "\${COMP_WORDS[at]}" in
            --config) with=(--config "\${COMP_WORDS[at+1]}"); (( at++ )) ;;
            ${global.filter((one) => one !== "--config").join("|")}) (( at++ )) ;;
            -*) ;;
            *) [[ -z "\${cmd}" ]] && cmd="\${COMP_WORDS[at]}" ;;
        esac
    done
    case "\${cmd},\${prev}" in
${[
  ...options.map(({ command, kind, option }) => label([`${command},${option}`], `kind=${kind}`)),
  ...several.map(([pattern, words]) => label([pattern], `several="${words}"`)),
  label(others, ""),
  label(
    global.map((one) => `*,${one}`),
    ""
  ),
  ...[...commands].map(([command, kind]) => label([`${command},*`], `kind=${kind}`))
]
  .filter((line) => line !== "")
  .join("\n")}
    esac
    if [[ -n "\${several}" && "\${cur}" != -* ]]; then
        word=""
        [[ "\${cur}" == *,* ]] && word="\${cur%,*},"
        COMPREPLY=($(compgen -P "\${word}" -W "\${several}" -- "\${cur##*,}"))
        return 0
    fi
    if [[ -n "\${kind}" && "\${cur}" != -* ]]; then
        COMPREPLY=()
        while IFS=$'\t' read -r word _; do
            [[ "\${word}" == "\${cur}"* ]] && COMPREPLY+=("$(printf %q "\${word}")")
        done < <("\${COMP_WORDS[0]}" complete "\${kind}" "\${with[@]}" 2>/dev/null)
        return 0
    fi
    _${program}_bash_completions "$@"
}
complete -F _${program}_live -o nosort -o bashdefault -o default ${program}`
}

/** In single quotes, for zsh's _arguments: a colon ends a part. */
const zshText = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(":", "\\:")

const zshFunction = (program: string): string => `function _${program}_live() {
    local -a found with
    local line
    [[ -n \${opt_args[--config]} ]] && with=(--config \${(Q)opt_args[--config]})
    for line in "\${(@f)$(_call_program live ${program} complete $1 "\${(@q)with}" 2>/dev/null)}"; do
        [[ -n $line ]] && found+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}")
    done
    _describe -V -t live $1 found
}
`

const zsh = (
  program: string,
  places: ReadonlyArray<Place>,
  lines: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const start = lines.findIndex((line) => line.startsWith("function "))
  let command = ""
  const mended = lines.flatMap((line) => {
    const label = /^\s*\(([\w-]+)\)$/.exec(line)?.[1]
    if (label !== undefined) command = label
    const own = places.filter((one) => one.command === command)
    const option = own.find((one) => one.option !== undefined && line.trim().startsWith(`'${one.option}[`))
    if (option !== undefined)
      return [
        line.replace(/\](?::[^']*)?' \\$/, `]:${option.option?.slice(2)}:_${program}_live ${option.kind}' \\`)
      ]
    if (line.trim() !== "&& ret=0" || command === "") return [line]
    const indent = line.slice(0, line.length - line.trimStart().length)
    const positions = own.filter((one) => one.option === undefined)
    command = ""
    return [
      ...positions.map(
        ({ at, description, kind }) => `${indent}'${at}:${zshText(description)}:_${program}_live ${kind}' \\`
      ),
      line
    ]
  })
  return [...mended.slice(0, start), zshFunction(program), ...mended.slice(start)]
}

const FISH_FUNCTION = `function __agent_runtime_live
    set -l words (commandline -opc)
    set -l with
    if set -l at (contains -i -- --config $words)
        set with --config $words[(math $at + 1)]
    end
    $words[1] complete $argv[1] $with 2>/dev/null
end
`

const fishLine = (places: ReadonlyArray<Place>, line: string): string => {
  const command = /__fish_seen_subcommand_from ([\w-]+)"/.exec(line)?.[1]
  if (command === undefined) return line
  const option = / -l ([\w-]+) /.exec(line)?.[1]
  const place = places.find(
    (one) =>
      one.command === command &&
      (option === undefined
        ? one.option === undefined && / -r -f -d /.test(line)
        : one.option === `--${option}`)
  )
  return place === undefined
    ? line
    : line.replace(/ -r -f /, ` -r -f -a "(__agent_runtime_live ${place.kind})" `)
}
