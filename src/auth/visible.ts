/** What a server sent, made fit to be shown: etcd takes any text for a name, line breaks and terminal escapes included. */

const MAX = 200

/** The text on one line, cut where nobody would read it to its end, what is invisible spelt out. */
export function visible(text: string): string {
  const cut = text.length > MAX ? `${text.slice(0, MAX)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}
