import { expect, test } from 'vitest'
import { checkPayload } from '../tokens/access-token.ts'
import type { StandardSchema } from '../base/standard-schema.ts'
import { checkSize, createDataCodec } from './application-data.ts'

const codec = createDataCodec<Record<string, unknown>>({ name: 'JWT payload', schema: undefined, check: checkPayload })

test('TOK-23: a payload cannot overwrite the claims of the session', async () => {
  for (const name of ['sub', 'sid', 'iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'cnf', 'typ', 'auth_time', 'keyturn']) {
    await expect(codec.write({ [name]: 'x' })).rejects.toMatchObject({ code: 'INVALID_DATA' })
  }
  expect(await codec.write({ role: 'admin', nested: { sub: 1 } })).toBe('{"role":"admin","nested":{"sub":1}}')
  expect(await codec.write({ gen: 1, brn: 'x', tid: 't' }), 'names of its private claim').toContain('"gen":1')
})

test('TOK-14: members that could reach a prototype are rejected at any depth', async () => {
  await expect(codec.write(JSON.parse('{"a":[{"__proto__":{"admin":true}}]}'))).rejects.toThrow()
  await expect(codec.write({ constructor: 1 })).rejects.toThrow()
})

test.each([['an array', []], ['a date', new Date(0)], ['a function', () => 1]])('%s is not a valid payload',
  async (_, value) => {
    await expect(codec.write(value as never)).rejects.toMatchObject({ code: 'INVALID_DATA' })
})

test('a value that is not JSON is an InvalidDataError', async () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  await expect(codec.write(circular)).rejects.toMatchObject({ code: 'INVALID_DATA' })
  await expect(codec.write({ big: 1n })).rejects.toMatchObject({ code: 'INVALID_DATA' })
})

test('the result of the schema is stored, and the error contains its issues', async () => {
  const schema: StandardSchema<{ role: string }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async value => {
        const role = (value as { role?: unknown }).role
        return typeof role === 'string'
          ? { value: { role: role.trim() } }
          : { issues: [{ message: 'must be a text', path: [{ key: 'role' }] }] }
      },
    },
  }
  const typed = createDataCodec<{ role: string }>({ name: 'JWT payload', schema, check: checkPayload })
  expect(await typed.write({ role: ' admin ' })).toBe('{"role":"admin"}')
  await expect(typed.write({ role: 1 } as never)).rejects.toThrow('role: must be a text')
  await expect(typed.empty()).rejects.toThrow('role: must be a text')
})

test('data has a size limit in bytes, which the error names', () => {
  expect(() => checkSize('session info', '{"a":"éé"}', 12)).not.toThrow()
  expect(() => checkSize('session info', '{"a":"éé"}', 11))
    .toThrow('the session info is 12 bytes long; at most 11 are allowed')
})
