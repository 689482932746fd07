const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

const isNumber = (field: string): boolean => /^\d{1,2}$/.test(field)

/** `Mon`, `Mon to Fri`, `Mon, Thu`; undefined for what is no plain list of days. */
const daysIn = (field: string): string | undefined => {
  if (!/^[0-7](?:-[0-7]|(?:,[0-7])*)$/.test(field)) return undefined
  const [joint, words] = field.includes("-") ? ["-", " to "] : [",", ", "]
  return field
    .split(joint)
    .map((day) => DAYS[Number(day)])
    .join(words)
}

/** What a cron expression of the usual kinds says, in words; undefined where it says more than fits into a few. */
export const cronWords = (cron: string): string | undefined => {
  const [minute = "", hour = "", day = "", month = "", weekday = "", ...rest] = cron.trim().split(/\s+/)
  if (rest.length > 0 || month !== "*") return undefined
  const step = /^\*\/(\d{1,2})$/.exec(minute)?.[1]
  const isDaily = day === "*" && weekday === "*"
  if (isDaily && hour === "*") {
    if (minute === "*") return "every minute"
    // Of other steps the last one of an hour is shorter.
    if (step !== undefined && 60 % Number(step) === 0) return `every ${step} m`
    return isNumber(minute) ? `each hour at :${minute.padStart(2, "0")}` : undefined
  }
  if (!isNumber(minute) || !isNumber(hour)) return undefined
  const time = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`
  if (isDaily) return `each day at ${time}`
  if (day === "*") {
    const days = daysIn(weekday)
    return days === undefined ? undefined : `${days} at ${time}`
  }
  return isNumber(day) && weekday === "*" ? `on day ${day} of each month at ${time}` : undefined
}
