import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reduce } from './reduce.ts'
import type { SessionEvent } from './reduce.ts'
import { tokenOf } from './session-state.ts'
import type { SessionState } from './session-state.ts'

const NOW = Date.UTC(2026, 0, 1)

function front(sid: string, serial: number, ate = NOW + 60_000): string {
  return btoa(JSON.stringify({ uid: sid, ate, up: { sid, iat: NOW / 1000, jti: serial } }))
}

const [first, second] = [front('ada', 1), front('ada', 2)]
const bob = front('bob', 1)
const record = (front: string | null, more: Partial<SessionState> = {}): SessionState => (
  { at: NOW, generation: NOW, received: NOW, front, refreshToken: 'r', ...more }
)
const none = record(null)
const response = (
  sent: SessionState | null,
  headers: Readonly<Record<string, string>>,
  more: Partial<Extract<SessionEvent, { type: 'response' }>> = {},
): SessionEvent => ({ type: 'response', sent, headers: new Headers(headers), now: NOW, ...more })
const removal = { 'front-token': 'remove' }

describe('a response', () => {
  test('changes the record only if it brings a new token', () => {
    expect(reduce('cookie', null, response(null, {}))).toBeNull()
    expect(reduce('cookie', null, response(null, { 'front-token': 'malformed' }))).toBeNull()
    const known = record(first)
    expect(reduce('cookie', known, response(null, { 'front-token': first }))).toBe(known)
    const headers = { 'front-token': first, 'anti-csrf': 'a', 'st-refresh-token': 'no' }
    expect(reduce('cookie', null, response(null, headers)))
      .toEqual({ at: NOW, generation: NOW, received: NOW, front: first, antiCsrf: 'a', ended: undefined })
  })

  test('gets a later time than the record before, even if the clock was set back, and keeps the generation', () => {
    expect(reduce('cookie', record(first, { at: NOW + 1e9 }), response(null, { 'front-token': second })))
      .toMatchObject({ at: NOW + 1e9 + 1, generation: NOW, received: NOW })
  })

  test.each(['cookie', 'header'] as const)('ends its own session, not one that began meanwhile: %s', mode => {
    expect(reduce(mode, record(second), response(record(first), removal)))
      .toMatchObject({ front: null, ended: 'signed-out' })
    const other = record(bob, { generation: NOW + 1, at: NOW + 1 })
    for (const sent of [null, none, record(first)]) expect(reduce(mode, other, response(sent, removal))).toBe(other)
    expect(reduce(mode, null, response(null, removal))).toMatchObject({ front: null, ended: undefined })
    expect(reduce(mode, none, response(none, removal))).toBe(none)
  })

  test('B-01: that names a session ends that one, whenever its request was sent', () => {
    const current = record(first, { generation: NOW + 1, at: NOW + 1 })
    const naming = (handle: string): SessionEvent =>
      response(none, { ...removal, 'session-ended': `theft ${handle}` })
    expect(reduce('cookie', current, naming('ada'))).toMatchObject({ front: null, ended: 'theft' })
    expect(reduce('cookie', current, naming('bob ada'))).toMatchObject({ front: null, ended: 'theft' })
    expect(reduce('cookie', current, naming('bob'))).toBe(current)
  })

  test('does not bring back an older token in header mode', () => {
    const newest = record(front('ada', 3, NOW + 120_000))
    const old = { 'front-token': second, 'st-access-token': 'old' }
    expect(reduce('header', newest, response(record(first), old))).toBe(newest)
    const current = record(first)
    expect(reduce('header', current, response(current, { 'front-token': second, 'st-access-token': 'new' })))
      .toMatchObject({ accessToken: 'new', refreshToken: 'r' })
  })

  test('B-10: that begins another session says that the one before was replaced', () => {
    expect(reduce('cookie', record(first), response(record(first), { 'front-token': bob })))
      .toMatchObject({ front: bob, ended: 'replaced' })
    expect(reduce('cookie', none, response(none, { 'front-token': bob }))).toMatchObject({ ended: undefined })
  })
})

describe('a sign-out', () => {
  test('B-06: ends the session at once, keeps what the server needs, and is over when the server has answered', () => {
    const left = reduce('header', record(first, { antiCsrf: 'a' }), { type: 'sign-out', now: NOW })
    const signOut = { handle: 'ada', antiCsrf: 'a', refreshToken: 'r' }
    expect(left).toEqual({
      at: NOW + 1, generation: NOW + 1, received: NOW, front: null, ended: 'signed-out', signOut,
    })
    for (const generation of [NOW, NOW + 2]) {
      expect(reduce('header', left, { type: 'signed-out', generation, now: NOW })).toBe(left)
    }
    expect(reduce('header', left, { type: 'signed-out', generation: NOW + 1, now: NOW }))
      .toMatchObject({ at: NOW + 2, generation: NOW + 1, ended: 'signed-out', signOut: undefined })
  })

  test('without a session changes nothing; without a record it is sent, because there may be cookies', () => {
    expect(reduce('cookie', none, { type: 'sign-out', now: NOW })).toBe(none)
    expect(reduce('cookie', null, { type: 'sign-out', now: NOW }))
      .toMatchObject({ front: null, ended: undefined, signOut: { handle: '' } })
  })
})

/** A step of two tabs that share a storage; `tab` is 0 or 1, `pick` chooses among what is under way. */
const step = fc.record({
  what: fc.constantFrom('login', 'refresh', 'call', 'revoke', 'sign-out', 'answer', 'answer', 'answer', 'message'),
  tab: fc.nat(1),
  pick: fc.nat(9),
})

/** A request under way: what its answer will be is decided when it is sent, as by a server that is fast. */
interface Flight {
  readonly tab: number
  readonly sent: SessionState | null
  readonly epoch: number
  readonly kind: 'login' | 'refresh' | 'call'
  readonly headers: Readonly<Record<string, string>>
  readonly ended: boolean
  readonly session: string | null
}

/** Two tabs, their storage, and what the user has done, as somebody sees it who sees everything at once. */
function createPair(mode: 'cookie' | 'header'): {
  readonly run: (step: { what: string; tab: number; pick: number }) => void
  readonly deliverAll: () => void
  readonly states: () => readonly (SessionState | null)[]
  readonly expected: () => string | null
} {
  let [serial, epoch] = [0, 0]
  let expected: string | null = null
  let storage: SessionState | null = null
  const states: (SessionState | null)[] = [null, null]
  const revoked = new Set<string>()
  const flights: Flight[] = []
  const messages: { readonly tab: number; readonly record: SessionState }[] = []
  const sidOf = (state: SessionState | null): string | null => tokenOf(state)?.uid ?? null
  const begin = (session: string | null): void => {
    epoch++
    expected = session
  }

  function dispatch(tab: number, event: SessionEvent): void {
    const before = reduce(mode, states[tab] ?? null, { type: 'record', record: storage })
    const after = reduce(mode, before, event)
    states[tab] = after
    if (after === before || after === null) return
    storage = after
    messages.push({ tab: 1 - tab, record: after })
  }

  function send(tab: number, kind: Flight['kind']): void {
    const sent = reduce(mode, states[tab] ?? null, { type: 'record', record: storage })
    states[tab] = sent
    const own = sidOf(sent)
    const session = kind === 'login' ? `s${++serial}` : own
    if (session === null) return
    const ended = revoked.has(session)
    const headers: Record<string, string> = ended
      ? { 'front-token': 'remove', 'session-ended': `revoked ${session}` }
      : { 'front-token': front(session, ++serial, NOW + serial), 'st-access-token': 'a', 'st-refresh-token': 'r' }
    flights.push({ tab, sent, epoch, kind, headers, ended, session })
  }

  function answer(pick: number): void {
    const [flight] = flights.splice(pick % Math.max(1, flights.length), 1)
    if (flight === undefined) return
    const { tab, sent, kind, headers, ended, session } = flight
    dispatch(tab, response(sent, headers, kind === 'refresh' ? { refresh: ended ? 'expired' : 'refreshed' } : {}))
    if (kind === 'login') begin(session)
    else if (ended && expected === session) begin(null)
  }

  return {
    run({ what, tab, pick }) {
      if (what === 'login' || what === 'refresh' || what === 'call') send(tab, what)
      else if (what === 'revoke') revoked.add(sidOf(storage) ?? '')
      else if (what === 'answer') answer(pick)
      else if (what === 'message') {
        const [message] = messages.splice(pick % Math.max(1, messages.length), 1)
        if (message) states[message.tab] = reduce(mode, states[message.tab] ?? null, { type: 'record', ...message })
      } else {
        dispatch(tab, { type: 'sign-out', now: NOW })
        begin(null)
      }
      expect(sidOf(storage)).toBe(expected)
    },
    deliverAll() {
      for (const { tab, record } of messages) {
        states[tab] = reduce(mode, states[tab] ?? null, { type: 'record', record })
      }
    },
    states: () => states,
    expected: () => expected,
  }
}

test.each(['cookie', 'header'] as const)(
  'B-01: however logins, refreshes, sign-outs, revocations and late answers of two tabs interleave, the record is what '
  + 'the user did last, and both tabs agree: %s',
  mode => {
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const { run, deliverAll, states, expected } = createPair(mode)
      for (const each of steps) run(each)
      deliverAll()
      for (const state of states()) expect(tokenOf(state)?.uid ?? null).toBe(expected())
      expect(states()[0]).toEqual(states()[1])
    }), { numRuns: 3000 })
  },
)
