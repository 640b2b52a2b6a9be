/** A line of a log as whoever carried it wrote it: journald, a container runtime and Docker each put something around etcd's own line. */

/** The fields of a line of a JSON log. */
export type Line = Readonly<Record<string, unknown>>

/** How many braces before the fields are looked at: a name in brackets may stand there, and no line has many. */
const ATTEMPTS = 8

function parsed(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : undefined
  } catch {
    // Cut short, or another kind of brace: its text still says something.
    return undefined
  }
}

/** What was logged: the content of a line that Docker (`log`) or `journalctl -o json` (`MESSAGE`) packed, any other line as it is. */
export function unpacked(line: string): string {
  const { log, MESSAGE } = (/^\s*\{.*"(?:log|MESSAGE)"/s.test(line) ? parsed(line) : undefined) ?? {}
  const text = typeof log === 'string' ? log : typeof MESSAGE === 'string' ? MESSAGE : undefined
  return text === undefined ? line : text.trimEnd()
}

/**
 * The fields of a line, if they stand at its end: behind nothing, behind what journald, the CRI or `docker compose logs` writes before it, or as
 * `--log-format=console` does (etcd 3.6 and later), whose message stands before the fields between tabs, which rsyslog
 * writes as `#011`. None for any other line.
 */
export function fieldsOf(line: string): Line {
  const text = line.trimEnd()
  if (!text.endsWith('}')) return {}
  for (let at = text.indexOf('{'), attempt = 0; at !== -1 && attempt < ATTEMPTS; at = text.indexOf('{', at + 1), attempt++) {
    const fields = parsed(text.slice(at))
    if (fields === undefined) continue
    const message = /(?:\t|#011)([^\t#]+)(?:\t|#011)$/.exec(text.slice(0, at))?.[1]
    return message === undefined ? fields : { ...fields, msg: message }
  }
  return {}
}
