#!/bin/sh
# Stands for hermes-agent: what its `chat` prints, in the form of its own stream-json, by the mark [[stub:NAME]] in
# the prompt that it reads from stdin. There is no model behind it.
case "$*" in
*--help*)
  echo "usage: hermes chat [-q QUERY | --query-file PATH] [--format {text,stream-json}] [--source SOURCE] [--yolo]"
  echo "                   [--ignore-rules] [--safe-mode] [-m MODEL] [--provider PROVIDER] [-Q]"
  exit 0
  ;;
esac
prompt=$(cat)
mark=$(printf '%s' "$prompt" | grep -o '\[\[stub:[^]]*\]\]' | tail -1 | tr -d '[]')
mark=${mark#stub:}
name=${mark%% *}
run=${mark#* }
at='"timestamp":"2026-01-01T00:00:00Z"'
session='"session_id":"20260101_000000_5eed5e"'
outcome='{\"status\":\"completed\",\"operator_summary\":\"The stubbed model did it.\",\"machine_status\":\"ok\"}'

say() { printf '{"type":"text",%s,"text":"%s"}\n' "$at" "$1"; }
result() { printf '{"type":"result",%s,%s,"exit_code":%s,"text":"%s","tokens":{"input":1000,"output":80,"total":1280,"cache_read":200,"cache_write":0},"duration_ms":12%s}\n' "$at" "$session" "$1" "$2" "$3"; }
answer() { say "$1"; result 0 "$1"; }
fails() {
  printf '{"type":"result",%s,%s,"exit_code":1,"text":"","tokens":{"input":0,"output":0,"total":0,"cache_read":0,"cache_write":0},"duration_ms":12,"error":"%s"}\n' "$at" "$session" "$1"
  exit 1
}
tool() {
  printf '{"type":"tool_use",%s,"name":"terminal","input":{"command":"%s"},"tool_call_id":"call_1"}\n' "$at" "$1"
  sh -c "$2"
  printf '{"type":"tool_result",%s,"name":"terminal","tool_call_id":"call_1","output":"","duration_ms":3,"is_error":false}\n' "$at"
}
children="export STUB_RUN=$run; (tail -f /dev/null >/dev/null 2>&1 &); setsid tail -F /dev/null >/dev/null 2>&1 &
env -i STUB_RUN=$run setsid tail -s 9 -f /dev/null >/dev/null 2>&1 &"

[ "$name" = hang ] && exec tail -f /dev/null
printf '{"type":"system","subtype":"init",%s,"model":"stub",%s}\n' "$at" "$session"
case "$name" in
prose) answer "I have finished the work that you asked for. Everything is in order." ;;
empty) result 0 "" "" ;;
truncated) result 0 '{\"status\":\"comp' ',"error":"Response truncated due to output length limit"' ;;
fenced) answer "Here is the result:\\n\\n\`\`\`json\\n$outcome\\n\`\`\`\\nLet me know." ;;
tool)
  tool "make it" "echo 'made by a tool call' > made-by-the-model.txt"
  answer '{\"status\":\"completed\",\"operator_summary\":\"The stubbed model did it.\",\"machine_status\":\"ok\",\"file_changes\":[\"created: made-by-the-model.txt\"]}'
  ;;
bgtool)
  tool "background" "$children"
  answer "$outcome"
  ;;
sleeptool) tool "sleep" "$children
touch $run.started
tail -s 7 -f /dev/null" ;;
stall)
  say "It begins "
  exec tail -f /dev/null
  ;;
drop)
  say "It begins "
  kill -KILL $$
  ;;
size) answer "{\\\"status\\\":\\\"completed\\\",\\\"operator_summary\\\":\\\"${#prompt} characters\\\",\\\"machine_status\\\":\\\"ok\\\"}" ;;
s401) fails "HTTP 401: invalid api key" ;;
s404) fails "HTTP 404: model_not_found: the model does not exist" ;;
s429) fails "HTTP 429: rate limit exceeded, retry after 900 seconds" ;;
s500) fails "HTTP 500: the stub answers 500" ;;
quota) fails "HTTP 429: insufficient_quota: You exceeded your current quota" ;;
refused) fails "API call failed after 3 retries: Connection error." ;;
*) answer "$outcome" ;;
esac
