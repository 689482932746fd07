const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Text that stands in a document, or in a quoted attribute, as what it is. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign)

/** Where the style sheet of the plain pages lies. */
export const STYLE_PATH = "/plain.css"

/** What anybody may ask for: without it nobody could sign in. */
export const OPEN_PATHS: ReadonlyArray<string> = ["/login", "/logout", STYLE_PATH]

/** A page without script: it works in whatever shows it. `body` is markup. */
export const plainPage = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`

/** The style of the plain pages. */
export const STYLE = `:root { color-scheme: light dark; --ground: #fbfbfa; --raised: #fff; --ink: #1c1e22; --quiet: #585e68; --line: #e2e2df; --edge: #8a8f98; --soft: #f3f3f1; --accent: #2454c6; --on-accent: #fff; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #131519; --raised: #1a1d22; --ink: #e7e8ea; --quiet: #a2a8b3; --line: #2b2f36; --edge: #7a818d; --soft: #0e1013; --accent: #8fb3ff; --on-accent: #0e1013; --wrong: #ff8f85; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: .9375rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
main:has(form) { max-width: 24rem; padding-top: 14vh; }
a { color: var(--accent); }
h1 { font-size: 1.25rem; }
h2 { margin-top: 2.5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.2rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
pre { padding: .75rem; background: var(--soft); overflow: auto; }
form { display: grid; gap: .75rem; }
main:has(form) > p, label { color: var(--quiet); }
label { display: grid; gap: .25rem; }
input, button { padding: .5rem .75rem; border: 1px solid var(--edge); border-radius: 5px; background: var(--raised); color: var(--ink); font: inherit; }
button { border-color: var(--accent); background: var(--accent); color: var(--on-accent); cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
main > [role="alert"] { color: var(--wrong); }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
`
