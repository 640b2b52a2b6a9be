/** What a server sent, made fit to be shown: etcd takes any text for a name, line breaks and terminal escapes included. */

const NAME_MAX = 200

/** Longer than anything that etcd says of names which a policy may hold. */
export const MESSAGE_MAX = 500

/** The text on one line, cut where nobody would read it to its end, what is invisible spelt out. */
export function visible(text: string, max: number = NAME_MAX): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** What a client or server said went wrong, for a message; a URL in it without the name and password that it may carry. */
export function visibleReason(text: string): string {
  return visible(text.slice(0, 2 * MESSAGE_MAX).replace(/\/\/[^/@\s]*@/g, '//'), MESSAGE_MAX)
}

/** Several clauses as one, for a message: the first twenty, and how many more there are. The error's detail holds all. */
export function few(clauses: readonly string[], between = '; '): string {
  return clauses.slice(0, 20).join(between) + (clauses.length > 20 ? `${between}and ${clauses.length - 20} more` : '')
}
