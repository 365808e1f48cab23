import { expect, test } from 'vitest'
import { createHandle } from '../base/handle.ts'
import { VerifiedSession } from './session-object.ts'

const claims = {
  iss: 'https://app.example.com/auth', sub: 'alice', sid: createHandle('cookie', length => new Uint8Array(length)),
  tid: 'public', iat: 1000, exp: 2000, auth_time: 1000, jti: 'j', gen: 0, brn: 0, ri: 30_000, pv: 0,
}

test('TOK-17: claims and payload, which requests with the same token share, are private', () => {
  expect(Reflect.ownKeys(new VerifiedSession(claims, { role: 'reader' }))).toEqual([])
})

test('TOK-17: a payload is deeply frozen, so that no handler can change that of another request', () => {
  const payload = { role: 'reader', deep: { list: [{}], empty: [] } }
  const session = new VerifiedSession(claims, payload)
  const handedOut = session.getJwtPayload()
  const { deep } = handedOut
  for (const value of [handedOut, deep, deep.list, deep.list[0], deep.empty]) expect(Object.isFrozen(value)).toBe(true)
  expect(new VerifiedSession(claims, payload).getJwtPayload()).toBe(handedOut)
})
