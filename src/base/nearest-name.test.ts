import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearestName } from './nearest-name.ts'

const known = ['SECRET', 'STORE', 'API_KEY', 'APP', 'HOST', 'PORT', 'sameSite', 'domain']

test.each([
  ['SECRETS', 'SECRET'], ['API_KEYS', 'API_KEY'], ['APIKEY', 'API_KEY'], ['STROE', 'STORE'], ['secret', 'SECRET'],
  ['samesite', 'sameSite'], ['domian', 'domain'], ['PROT', 'PORT'], ['SECRET', 'SECRET'], ['APPS', 'APP'],
  ['TOKEN', null], ['', null], ['A', null], ['DATABASE_URL', null], ['accessTokenLifetime', null],
])('S-15: the suggestion for %s is %s', (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest)
})

test('S-15: a name with one typing error is found, and the nearest of several names wins', () => {
  expect(nearestName('tenants', ['tenant', 'tenantss', 'tenants'])).toBe('tenants')
  const name = fc.stringMatching(/^[A-Z_]{6,20}$/)
  fc.assert(fc.property(name, fc.nat(19), fc.constantFrom('', 'Q'), (text, place, put) => {
    const misspelt = text.slice(0, place % text.length) + put + text.slice(place % text.length + 1)
    expect(nearestName(misspelt, ['nothing like it', text])).toBe(text)
  }))
})
