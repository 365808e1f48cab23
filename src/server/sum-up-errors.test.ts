import { describe, expect, test } from 'vitest'
import type { LogFields } from './log.ts'
import { sumUpErrors } from './sum-up-errors.ts'

/** A logger, its lines, and a schedule that `pass` lets run. */
function world(): {
  steady: ReturnType<typeof sumUpErrors>
  lines: unknown[]
  pass: () => void
  isWaiting: () => boolean
} {
  const lines: unknown[] = []
  let task: (() => void) | null = null
  const log = (fields: LogFields, message: string): void => void lines.push([message, fields])
  return {
    lines,
    isWaiting: () => task !== null,
    pass() {
      const due = task
      task = null
      due?.()
    },
    steady: sumUpErrors({ debug: log, info: log, warn: log, error: log }, scheduled => {
      task = scheduled
      return () => { task = null }
    }),
  }
}

describe('V-09: repeated errors', () => {
  test('are logged once, then counted, one line per interval, until an interval passes without one', () => {
    const { steady, lines, pass, isWaiting } = world()
    for (let request = 0; request < 1000; request++) steady.error({ error: 'ECONNREFUSED' }, 'a request failed')
    expect(lines).toEqual([['a request failed', { error: 'ECONNREFUSED' }]])
    pass()
    expect(lines.splice(0).slice(1)).toEqual([['a request failed, again', { error: 'ECONNREFUSED', count: 999 }]])
    steady.error({ error: 'ECONNREFUSED' }, 'a request failed')
    expect(lines).toEqual([])
    pass()
    expect(lines.splice(0)).toEqual([['a request failed, again', { error: 'ECONNREFUSED', count: 1 }]])
    pass()
    expect([lines, isWaiting()]).toEqual([[], false])
    steady.error({ error: 'ECONNREFUSED' }, 'a request failed')
    expect(lines).toEqual([['a request failed', { error: 'ECONNREFUSED' }]])
  })

  test('of different kinds are counted separately, up to 20 of them', () => {
    const { steady, lines } = world()
    for (let kind = 0; kind < 100; kind++) steady.error({ error: `error ${kind}` }, 'a request failed')
    for (const during of ['cleanup', 'feed']) steady.error({ during, error: 'x' }, 'a background task failed')
    expect(lines).toHaveLength(20)
    steady.flush()
    expect(lines[20]).toEqual(['a request failed, again', { error: 'error 19', count: 82 }])
  })

  test('leave other messages alone', () => {
    const { steady, lines } = world()
    for (let time = 0; time < 3; time++) steady.warn({ status: 401 }, 'requests refused')
    expect(lines).toHaveLength(3)
  })
})
