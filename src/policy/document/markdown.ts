/** Text of unknown origin in Markdown. */

/** One line of text, whatever it holds: what would leave its cell made visible, and nothing read as markup (CommonMark 2.4). */
export function markdownText(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
  return line.replace(/[\\`*_{}[\]<>()#+\-.!|~&$]/g, '\\$&')
}
