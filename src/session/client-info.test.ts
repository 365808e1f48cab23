import { expect, test } from 'vitest'
import { createClientInfo } from './client-info.ts'

test('S-19: an address has at most 64 characters, a user agent at most 512', () => {
  expect(createClientInfo('f'.repeat(64), 'u'.repeat(512))).toEqual({ ip: 'f'.repeat(64), userAgent: 'u'.repeat(512) })
  expect(createClientInfo('f'.repeat(65), 'u'.repeat(513))).toEqual({ ip: 'f'.repeat(64), userAgent: 'u'.repeat(512) })
  expect(createClientInfo(`${'f'.repeat(63)}😀`, `${'u'.repeat(511)}😀`))
    .toEqual({ ip: 'f'.repeat(63), userAgent: 'u'.repeat(511) })
  expect(createClientInfo(null, null)).toEqual({ ip: null, userAgent: null })
})

test('S-14: half surrogate pairs and control characters are replaced in both', () => {
  expect(createClientInfo('1\u0000\ud800', 'a\n\udfff\u202e\u2028b')).toEqual({ ip: '1??', userAgent: 'a????b' })
})

test('S-14: a value that is not a string counts as unknown', () => {
  for (const ip of [undefined, ['192.0.2.1'], 7]) expect(createClientInfo(ip as never, null).ip).toBeNull()
})
