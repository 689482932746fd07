# Reads one JSON object and words its flat fields for a person. Works on bytes (LC_ALL=C), with any awk.
# Text from outside is data: braces become parentheses, so that nothing in it can pass for an outcome, and
# control characters become spaces.

BEGIN {
  hexdigits = "0123456789abcdef"
  RS = "\001" # never stands in JSON, so the whole input is one record
}

{ text = text $0 }

END {
  at = 1
  skip()
  if (substr(text, at, 1) != "{") fail("the payload is no JSON object")
  object(1)
  if (bad != "") fail(bad)
  describe()
}

function fail(why) {
  print "local.awk: " why | "cat 1>&2"
  close("cat 1>&2")
  exit 65
}

function skip() {
  while (substr(text, at, 1) ~ /^[ \t\r\n]$/) at++
}

# Reads an object; only the outermost one's plain values are kept, in the order in which they stand.
function object(keep,    key, done) {
  at++
  skip()
  if (substr(text, at, 1) == "}") { at++; return }
  while (!done && bad == "") {
    skip()
    if (substr(text, at, 1) != "\"") { bad = "the payload has no key at byte " at; return }
    key = string()
    skip()
    if (substr(text, at, 1) != ":") { bad = "the payload has no colon at byte " at; return }
    at++
    if (keep) member(key); else value()
    skip()
    done = (substr(text, at, 1) != ",")
    at++
  }
  if (bad == "" && substr(text, at - 1, 1) != "}") bad = "the payload ends too early"
}

function member(key,    was) {
  skip()
  was = substr(text, at, 1)
  found = value()
  if (was == "{" || was == "[" || found == "null" || found == "") return
  if (!(key in field)) order[++fields] = key
  field[key] = found
}

# Reads any value; answers its text, "" for objects and lists.
function value(    first, start) {
  skip()
  first = substr(text, at, 1)
  if (first == "\"") return string()
  if (first == "{") { object(0); return "" }
  if (first == "[") { list(); return "" }
  start = at
  while (substr(text, at, 1) ~ /^[-+.0-9A-Za-z]$/) at++
  if (at == start) bad = "the payload has no value at byte " at
  return substr(text, start, at - start)
}

function list(    done) {
  at++
  skip()
  if (substr(text, at, 1) == "]") { at++; return }
  while (!done && bad == "") {
    value()
    skip()
    done = (substr(text, at, 1) != ",")
    at++
  }
  if (bad == "" && substr(text, at - 1, 1) != "]") bad = "the payload ends too early"
}

# Reads a string; of a long one the first 2,000 bytes or so are kept.
function string(    out, letter, start) {
  at++
  while (1) {
    letter = substr(text, at, 1)
    if (letter == "") { bad = "the payload ends in a text"; return "" }
    if (letter == "\"") { at++; return out }
    if (letter == "\\") letter = escaped(); else at++
    if (length(out) < 2000) out = out letter
  }
}

function escaped(    letter) {
  letter = substr(text, at + 1, 1)
  at += 2
  if (letter == "u") return unicode()
  if (index("nrtbf", letter)) return letter == "n" ? "\n" : " "
  return letter # quote, backslash, slash
}

# \uXXXX after its "u", with the second half of a surrogate pair where there is one, as UTF-8.
function unicode(    high, low) {
  high = hex(substr(text, at, 4))
  at += 4
  if (high >= 55296 && high <= 56319 && substr(text, at, 2) == "\\u") {
    low = hex(substr(text, at + 2, 4))
    if (low >= 56320 && low <= 57343) {
      at += 6
      return utf8(65536 + (high - 55296) * 1024 + (low - 56320))
    }
  }
  return utf8(high >= 55296 && high <= 57343 ? 65533 : high)
}

function hex(digits,    i, digit, total) {
  if (length(digits) != 4) { bad = "the payload ends in an escape"; return 32 }
  for (i = 1; i <= 4; i++) {
    digit = index(hexdigits, tolower(substr(digits, i, 1)))
    if (digit == 0) { bad = "the payload has a bad escape at byte " at; return 32 }
    total = total * 16 + digit - 1
  }
  return total
}

function utf8(point) {
  if (point < 32 || point == 127) return point == 10 ? "\n" : " "
  if (point < 128) return sprintf("%c", point)
  if (point < 2048) return sprintf("%c%c", 192 + int(point / 64), tail(point, 1))
  if (point < 65536) return sprintf("%c%c%c", 224 + int(point / 4096), tail(point, 64), tail(point, 1))
  return sprintf("%c%c%c%c", 240 + int(point / 262144), tail(point, 4096), tail(point, 64), tail(point, 1))
}

function tail(point, unit) { return 128 + int(point / unit) % 64 }

function shown(key, most) { return clean(field[key], most) }

# Text on one line, at most `most` bytes, cut between characters.
function clean(out, most) {
  gsub(/[\001-\040\177]+/, " ", out)
  gsub(/{/, "(", out)
  gsub(/}/, ")", out)
  sub(/^ /, "", out)
  sub(/ $/, "", out)
  if (length(out) <= most) return out
  while (most > 0 && inside(substr(out, most + 1, 1))) most--
  return substr(out, 1, most) " ..."
}

# Whether a byte is the second or a later one of a character.
function inside(byte) { return byte > "\177" && byte < "\300" }

function has(key) { return (key in field) && field[key] ~ /[^ \n]/ }

function describe() {
  if (has("message") && has("channel")) discord()
  else if (has("repository") || has("repo")) github()
  else generic()
  print "Written by the adapter local, without a model."
}

function line(label, key) { if (has(key)) print label ": " shown(key, 1200) }

function github(    where, what) {
  where = has("repository") ? shown("repository", 200) : shown("repo", 200)
  what = has("number") ? "#" shown("number", 20) : ""
  if (field["event"] ~ /pull_request/ || ("merged" in field)) what = "Pull request" (what == "" ? "" : " " what)
  else what = (has("event") ? shown("event", 100) : "News") (what == "" ? "" : " " what)
  if (has("title")) what = what " \"" shown("title", 300) "\""
  what = what " in " where
  if (field["merged"] == "true") what = what " was merged"
  else if (field["merged"] == "false") what = what " was closed without being merged"
  print what (has("author") ? " (by " shown("author", 100) ")" : "") "."
  line("What it says", "summary")
  line("Asked", "operator_question")
  line("Link", "url")
}

function discord(    who) {
  who = has("author") ? shown("author", 100) : "Somebody"
  print who " wrote in #" shown("channel", 100) " on Discord: \"" shown("message", 1200) "\""
  line("Goal", "operator_goal")
  line("Reply style", "reply_style")
}

function generic(    i, name) {
  if (fields == 0) print "The payload has no plain fields."
  for (i = 1; i <= fields && i <= 30; i++) {
    name = order[i]
    print clean(name, 100) ": " shown(name, 600)
  }
  if (fields > 30) print "(and " fields - 30 " more fields)"
}
