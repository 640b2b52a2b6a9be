/** Text of unknown origin in Markdown. */
import { visibleText } from './visible.js'

/** One line of text, whatever it holds: what would leave its cell made visible, and nothing read as markup (CommonMark 2.4). */
export function markdownText(text: string): string {
  return visibleText(text).replace(/[\\`*_{}[\]<>()#+\-.!|~&$]/g, '\\$&')
}
