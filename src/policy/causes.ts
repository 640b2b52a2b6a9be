/** Which changes of etcd make an answer another. */
import { ACCESS_CHANGES, type AccessChange } from '../advisories/access-changes.js'

type Has = (change: AccessChange) => boolean

/** Of the changes between two releases that answer differently, those that matter: without one of them alone the answer would be another. */
export function causesOf(answer: (has: Has) => boolean, old: Has, next: Has): readonly AccessChange[] {
  const flipped = ACCESS_CHANGES.filter((change) => old(change) !== next(change))
  const [was, is] = [answer(old), answer(next)]
  const alone = flipped.filter((change) => answer((other) => (other === change ? old(other) : next(other))) !== is)
  if (alone.length > 0) return alone
  const first = flipped.filter((change) => answer((other) => (other === change ? next(other) : old(other))) !== was)
  // Where several do it together only, each has its part.
  return first.length > 0 ? first : flipped
}
