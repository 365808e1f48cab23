// What enters, what is stored and what is read of the application's data.
import { describe, expect, test } from 'vitest'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { StandardSchema } from '../../src/base/standard-schema.ts'
import { inMemory, signIn } from '../../src/testing/index.ts'
import { ORIGIN } from '../support/session-server.ts'

/** A schema that converts with a function, and counts its calls. */
function schemaOf<Input, Output>(convert: (value: Input) => Output): StandardSchema<Input, Output> & { calls: number } {
  const schema: StandardSchema<Input, Output> & { calls: number } = {
    calls: 0,
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        schema.calls++
        try {
          return { value: convert(value as Input) }
        } catch (error) {
          return { issues: [{ message: String(error) }] }
        }
      },
    },
  }
  return schema
}

interface InfoIn { seats: string }
interface Info { seats: number }

/** A default, and a transform that does not accept what it returns. */
function createData() {
  const payload = schemaOf(({ role = 'reader' }: { role?: 'reader' | 'admin' }) => ({ role }))
  const info = schemaOf(({ seats }: InfoIn): Info => {
    if (typeof seats !== 'string') throw new TypeError('seats must be a text')
    return { seats: Number(seats) }
  })
  const sessions = webSessions(createSessions({ origin: ORIGIN, payload, info, ...inMemory() }))
  return { sessions, payload, info }
}

describe('L-10: input and output of a schema', () => {
  test('a default may be left out at login, and is there when the payload is read', async () => {
    const { sessions } = createData()
    const { handle, headers } = await signIn(sessions, 'ada', { info: { seats: '4' } })
    const session = await sessions.getSession(new Request(`${ORIGIN}/me`, { headers: { ...headers } }), new Headers())
    expect(session.getJwtPayload()).toEqual({ role: 'reader' })
    expect(await sessions.getSessionByHandle(handle)).toMatchObject({
      jwtPayload: { role: 'reader' }, sessionInfo: { seats: 4 },
    })
  })

  test('a transform is applied once, where the data enters', async () => {
    const { sessions } = createData()
    const { handle } = await signIn(sessions, 'ada', { info: { seats: '4' } })
    expect(await sessions.getSessionInfo(handle)).toEqual({ seats: 4 })
    await sessions.updateSessionInfo(handle, ({ seats }) => ({ seats: String(seats + 1) }))
    expect(await sessions.getSessionInfo(handle)).toEqual({ seats: 5 })
    await sessions.updateSessionInfo(handle, { seats: '6' })
    expect(await sessions.getSessionInfo(handle)).toEqual({ seats: 6 })
  })

  test('an update that returns the current data passes every schema and writes nothing', async () => {
    const { sessions, info } = createData()
    const { handle } = await signIn(sessions, 'ada', { info: { seats: '4' } })
    const { calls } = info
    // The compiler refuses it, because the schema accepts no number.
    await sessions.updateSessionInfo(handle, current => current as unknown as InfoIn)
    expect([await sessions.getSessionInfo(handle), info.calls]).toEqual([{ seats: 4 }, calls])
    await sessions.updateJwtPayload(handle, current => current)
    expect((await sessions.getSessionByHandle(handle)).jwtPayload).toEqual({ role: 'reader' })
  })

  test('a function that changes the current data in place updates it', async () => {
    const sessions = createSessions<{ role?: string }, { cart: string[] }>({ origin: ORIGIN, ...inMemory() })
    const { handle } = await signIn(sessions, 'ada', { info: { cart: [] } })
    await sessions.updateSessionInfo(handle, current => {
      current.cart.push('book')
      return current
    })
    expect(await sessions.getSessionInfo(handle)).toEqual({ cart: ['book'] })
  })

  test('a request is verified without the schema, the first time and later', async () => {
    const { sessions, payload } = createData()
    const { headers } = await signIn(sessions, 'ada', { info: { seats: '4' } })
    const { calls } = payload
    for (let request = 0; request < 3; request++) {
      await sessions.getSession(new Request(`${ORIGIN}/me`, { headers: { ...headers } }), new Headers())
    }
    expect(payload.calls).toBe(calls)
  })
})

class User {
  readonly name = 'Ada'
}
const cyclic: Record<string, unknown> = { list: [] }
cyclic['list'] = [cyclic]

describe('L-10: what JSON cannot carry is refused with its path', () => {
  test.each<readonly [place: string, what: string, data: object]>([
    ['at', 'an instance of Date', { at: new Date(0) }],
    ['deep.1.map', 'an instance of Map', { deep: [{}, { map: new Map() }] }],
    ['set', 'an instance of Set', { set: new Set() }],
    ['user', 'an instance of User', { user: new User() }],
    ['bytes', 'an instance of Uint8Array', { bytes: new Uint8Array(1) }],
    ['boxed', 'an instance of String', { boxed: Object('text') }],
    ['rate', 'NaN', { rate: NaN }],
    ['rates.0', '-Infinity', { rates: [-Infinity] }],
    ['list.1', 'undefined', { list: ['a', undefined] }],
    ['list.0', 'undefined', { list: Array.from({ length: 1 }) }],
    ['run', 'a function', { run: () => 1 }],
    ['shown.toJSON', 'a function', { shown: { toJSON: () => 'x' } }],
    ['id', 'a bigint', { id: 1n }],
    ['key', 'a symbol', { key: Symbol('key') }],
    ['Symbol(key)', 'a member whose name is a symbol', { [Symbol('key')]: 1 }],
    ['list.0', 'an object that contains itself', cyclic],
  ])('%s is %s', async (place, what, data) => {
    const sessions = createSessions({ origin: ORIGIN, ...inMemory() })
    const { handle } = await signIn(sessions, 'ada')
    for (const [name, written] of [
      ['session info', sessions.updateSessionInfo(handle, data as never)],
      ['session info', sessions.updateSessionInfo(handle, () => data as never)],
      ['JWT payload', sessions.updateJwtPayload(handle, data as never)],
      ['JWT payload', signIn(sessions, 'ada', { payload: data as never })],
    ] as const) {
      await expect(written).rejects.toMatchObject({
        code: 'INVALID_DATA', message: `${place} of the ${name} is ${what}, which JSON cannot carry: convert it first`,
      })
    }
  })

  test('what a schema returns counts, not what enters', async () => {
    const info = schemaOf((value: { tags: ReadonlySet<string> }) => ({ tags: [...value.tags] }))
    const payload = schemaOf((value: { at?: string }) =>
      ({ ...value, at: new Date(value.at ?? 0) }) as unknown as { at: string }
    )
    const sessions = createSessions({ origin: ORIGIN, info, ...inMemory() })
    const { handle } = await signIn(sessions, 'ada', { info: { tags: new Set(['a']) } })
    expect(await sessions.getSessionInfo(handle)).toEqual({ tags: ['a'] })
    await expect(signIn(createSessions({ origin: ORIGIN, payload, ...inMemory() }), 'ada'))
      .rejects.toThrow('at of the JWT payload is an instance of Date')
  })

  test('a member that is undefined is absent, and one object may occur twice', async () => {
    const sessions = createSessions({ origin: ORIGIN, ...inMemory() })
    const shared = { a: 1 }
    const { handle } = await signIn(sessions, 'ada', { info: { one: shared, two: shared, none: undefined } as never })
    expect(await sessions.getSessionInfo(handle)).toEqual({ one: { a: 1 }, two: { a: 1 } })
  })
})
