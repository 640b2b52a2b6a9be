/** The clock of the platform. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { platformClock } from '../../../src/auth/index.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('waits as long as it is told, longer than a timer can, and not at all when it is taken back', () => {
  const ran: number[] = []
  platformClock.after(3e9, () => ran.push(1))
  platformClock.after(3e9, () => ran.push(2))()
  const cancel = platformClock.after(5e9, () => ran.push(3))
  vi.advanceTimersByTime(3e9 - 1)
  expect(ran).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ran).toEqual([1])
  cancel()
  vi.advanceTimersByTime(5e9)
  expect(ran).toEqual([1])
})
