import { expect, test } from 'vitest'
import type { JsonObject } from '../base/json.ts'
import { checkPayload, reservedClaims } from './access-claims.ts'

test('TOK-23: a payload cannot set reserved claims, and the error names the claim', () => {
  for (const name of reservedClaims) {
    const payload: JsonObject = JSON.parse(`{${JSON.stringify(name)}:1}`)
    expect(() => checkPayload(payload)).toThrow(expect.objectContaining({
      code: 'INVALID_DATA', message: expect.stringContaining(name),
    }))
  }
  for (const name of ['sub', 'sid', 'iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'cnf', 'typ']) {
    expect(reservedClaims.has(name)).toBe(true)
  }
})

test('TOK-14: a payload cannot reach a prototype at any depth', () => {
  for (const text of ['{"a":{"__proto__":1}}', '{"a":[{"b":{"constructor":{}}}]}', '{"a":{"prototype":null}}']) {
    expect(() => checkPayload(JSON.parse(text))).toThrow('a')
  }
})

test('a payload must be JSON', () => {
  checkPayload({})
  checkPayload({ text: '', number: -1.5, yes: true, none: null, list: [1, [2]], deep: { deeper: {} } })
  const notJson: readonly unknown[] = [
    undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n, Symbol('x'), () => 1, new Date(), new Map(), new Uint8Array(1),
    [undefined], { deep: undefined },
  ]
  for (const value of notJson) {
    const payload = Object.assign({}, { claim: value }) as JsonObject
    expect(() => checkPayload(payload)).toThrow('claim')
  }
  const circle: JsonObject = {}
  circle['claim'] = circle
  expect(() => checkPayload(circle)).toThrow('claim')
  expect(() => checkPayload(JSON.parse(`{"claim":${'['.repeat(33)}${']'.repeat(33)}}`))).toThrow('claim')
})
