import { describe, expect, test } from 'vitest'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { parseHandle } from '../base/handle.ts'
import type { OriginClass } from '../transport/csrf.ts'
import { handleOfOperator, isOperator, refusalOf } from './access.ts'
import type { AccessFacts, AccessRequirements } from './access.ts'
import { consoleOperations } from './operations.ts'

const reader = { role: 'read' } as const
const manager = { role: 'manage' } as const
const own: AccessFacts = { origin: 'trusted', operator: manager, hasChangeToken: true }
const change: AccessRequirements = { needs: 'manage', isGuarded: true }
const reading: AccessRequirements = { needs: 'read', isGuarded: false }

describe('CON-11: the decision about a request', () => {
  test.each<readonly [
    title: string, demands: AccessRequirements, facts: Partial<AccessFacts>, refusal: string | null,
  ]>([
    ['a change by a manager on a page of the console', change, {}, null],
    ['a change without a login', change, { operator: null }, 'unauthenticated'],
    ['a change by a reader', change, { operator: reader }, 'read_only'],
    ['a change without a change token', change, { hasChangeToken: false }, 'invalid_change_token'],
    ['a change from another page', change, { origin: 'untrusted' }, 'foreign_origin'],
    ['a change from a client that is no browser', change, { origin: 'unknown' }, 'foreign_origin'],
    ['reading', reading, { operator: reader, hasChangeToken: false }, null],
    ['reading by a client that is no browser', reading, { origin: 'unknown', hasChangeToken: false }, null],
    ['reading without a login', reading, { operator: null }, 'unauthenticated'],
    ['reading from another page', reading, { origin: 'untrusted' }, 'foreign_origin'],
    ['a login needs no token', { needs: null, isGuarded: true }, { operator: null, hasChangeToken: false }, null],
    ['a login from another page', { needs: null, isGuarded: true }, { origin: 'untrusted' }, 'foreign_origin'],
    ['a login that no browser sent', { needs: null, isGuarded: true }, { origin: 'unknown' }, 'foreign_origin'],
  ])('%s', (_, demands, facts, refusal) => {
    expect(refusalOf(demands, { ...own, ...facts })).toBe(refusal)
  })

  test('every operation that is no GET is guarded, and every one that changes a session needs the role manage', () => {
    for (const { id, method, isGuarded, needs } of consoleOperations) {
      expect([id, isGuarded]).toEqual([id, method !== 'GET'])
      const isOwn = ['logIn', 'logOut', 'inspectToken'].includes(id)
      if (method !== 'GET' && !isOwn) expect([id, needs]).toEqual([id, 'manage'])
    }
    const open = consoleOperations.filter(({ needs }) => needs === null).map(({ id }) => id)
    expect(open).toEqual(['readLogin', 'logIn'])
  })

  test('no origin lets a request without a role pass', () => {
    const origins: readonly OriginClass[] = ['trusted', 'untrusted', 'unknown']
    for (const origin of origins) expect(refusalOf(reading, { ...own, origin, operator: null })).not.toBeNull()
  })
})

describe('CON-10: what authorize may return', () => {
  test.each([
    [{ name: 'ada', role: 'manage' }, true], [{ name: 'ada', role: 'read' }, true], [{ name: '', role: 'read' }, false],
    [{ name: 'a'.repeat(256), role: 'read' }, false], [{ name: 'ada', role: 'admin' }, false], [{ name: 'ada' }, false],
    [true, false], ['manage', false], [undefined, false], [{ role: 'manage' }, false],
  ])('%j: %s', (value, isAccepted) => {
    expect(isOperator(value)).toBe(isAccepted)
  })

  test('a handle that stands for an operator depends on name and role, and is no text of its own', async () => {
    const handles = await Promise.all([
      { name: 'ada', role: 'read' }, { name: 'ada', role: 'manage' }, { name: 'bob', role: 'read' },
    ].map(each => handleOfOperator({ name: each.name, role: each.role === 'read' ? 'read' : 'manage' }, nodeCrypto)))
    expect(new Set(handles).size).toBe(3)
    for (const handle of handles) expect(parseHandle(handle)).toBe(handle)
  })
})
