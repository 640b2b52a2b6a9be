/** Whether a pattern lets a request for a path pass, by the same path as `can`. */
import { containsInterval, pathInterval } from '../../src/keys/interval.js'
import type { Path, PathPattern } from '../../src/keys/index.js'
import { openedBy } from '../../src/policy/rights.js'

export function matches(keys: PathPattern, path: Path): boolean {
  return containsInterval(openedBy([{ type: 'read', keys }])[path.recursive ? 'recursive read' : 'read'], pathInterval(path))
}
