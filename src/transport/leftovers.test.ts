import { describe, expect, test } from 'vitest'
import type { TokenOwner } from '../tokens/token-owner.ts'
import type { CookieOptions } from './cookie-config.ts'
import { createHttpPolicy } from './http-policy.ts'
import { leftoverClearings } from './leftovers.ts'

/** The domains whose cookies are cleared; `host-only` for cookies without one. */
function placesFor(owners: readonly TokenOwner[], cookie: CookieOptions, origin = 'https://app.example.com'): unknown {
  const slot = createHttpPolicy({ origin, cookie }).cookies.accessToken
  const { name } = slot.attributes
  const cleared = leftoverClearings(slot, owners)
  const places = [...new Set(cleared.map(({ domain }) => domain ?? 'host-only'))]
  expect(cleared.map(cookie => cookie.name), 'each with that of its MAC')
    .toEqual(places.flatMap(() => [name, `${name}Mac`]))
  return places
}

describe('S-17: only cookies of this application are cleared on other domains', () => {
  const named: CookieOptions = { accessTokenName: 'at' }
  const migrated: CookieOptions = { accessTokenName: 'at', olderDomain: 'example.com' }

  const table: [owners: TokenOwner[], named: string[], migrated: string[]][] = [
    [[], [], []],
    [['ours'], [], ['example.com']],
    [['unreadable'], [], ['example.com']],
    [['other'], [], []],
    [['ours', 'ours'], ['app.example.com', 'example.com'], ['example.com', 'app.example.com']],
    [['ours', 'unreadable'], ['app.example.com'], ['example.com', 'app.example.com']],
    [['unreadable', 'unreadable'], ['app.example.com'], ['example.com', 'app.example.com']],
    [['ours', 'other'], [], []],
    [['other', 'ours', 'ours'], [], []],
    [['unreadable', 'other'], [], []],
    [['ours', 'unreadable', 'other'], [], []],
  ]
  test.each(table)('%j', (owners, withName, withOlderDomain) => {
    expect(placesFor(owners, named)).toEqual(withName)
    expect(placesFor(owners, migrated)).toEqual(withOlderDomain)
    expect(placesFor(owners, {}), 'a __Host- cookie exists on one host only').toEqual([])
  })

  test('with a cookie domain, leftover cookies are cleared on the own host', () => {
    expect(placesFor(['ours', 'ours'], { domain: 'example.com' })).toEqual(['host-only', 'app.example.com'])
    expect(placesFor(['ours', 'ours'], { domain: 'example.com' }, 'https://a.b.example.com'))
      .toEqual(['host-only', 'a.b.example.com', 'b.example.com'])
    expect(placesFor(['ours', 'other'], { domain: 'example.com' })).toEqual([])
  })
})
