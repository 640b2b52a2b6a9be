/** Which steps of a plan may be under way at once: those for which neither an order nor a part that is missing makes a difference to anybody's rights. */
import type { Step } from './step.js'

/**
 * The steps in groups: one group after the other, the steps of a group in any order.
 *
 * A group is a run of steps of one kind. Grants do not change who holds a role, bindings not what it grants, so each of them is as safe without the others;
 * and of steps that take away, any part leaves at least what all of them leave. What replaces a type does both, and stands alone.
 */
export function sideBySide(steps: readonly Step[]): readonly (readonly Step[])[] {
  const groups: Step[][] = []
  for (const step of steps) {
    const group = groups.at(-1)
    const [last] = group ?? []
    if (group === undefined || last?.do !== step.do || replaces(last) || replaces(step)) groups.push([step])
    else group.push(step)
  }
  return groups
}

const replaces = (step: Step): boolean => step.do === 'grantPermission' && step.replaces !== undefined
