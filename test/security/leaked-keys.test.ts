import { expect, test } from 'vitest'
import { decodeBase64url } from '../../src/base/base64url.ts'
import { parseJsonObject } from '../../src/base/json.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import type { RejectedRefreshEvidence } from '../../src/session/events.ts'
import type { ClientInfo } from '../../src/session/record.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createRefreshKey, parseRefreshToken } from '../../src/tokens/refresh-token.ts'
import type { ApplicationIdentity, RefreshKey, RefreshTokenParts } from '../../src/tokens/refresh-token.ts'
import { createTestCore, HOUR, login, owner, refreshed, SECOND, settle } from '../support/test-core.ts'

const thief: ClientInfo = { ip: '198.51.100.7', userAgent: 'thief' }
const application: ApplicationIdentity = { name: 'default', audience: null }

/** The refresh key, as an attacker with read access to the store has it. */
async function leakedKey(store: SessionStore): Promise<RefreshKey> {
  const stored = (await store.listKeys()).find(({ purpose }) => purpose === 'refresh')
  const material = parseJsonObject(stored?.material ?? '')?.['k']
  const bytes = typeof material === 'string' ? decodeBase64url(material) : null
  if (stored === undefined || bytes === null) throw new Error('there is no refresh key')
  return createRefreshKey(nodeCrypto, { ...stored, bytes }, application)
}

function partsOf(refreshToken: string): RefreshTokenParts {
  const token = parseRefreshToken(refreshToken)
  if (token === null) throw new Error('not a refresh token')
  return token
}

const random = (): string => Buffer.from(nodeCrypto.randomBytes(32)).toString('base64url')

test('S-02: a token made with a leaked refresh key and a public handle opens and revokes no session, and is reported', async () => {
  const heard: RejectedRefreshEvidence[] = []
  const store = createMemoryStore()
  const { core, clock } = createTestCore({ store, events: { onRefreshRejected: evidence => heard.push(evidence) } })
  const { claims, refreshToken } = await login(core)
  const key = await leakedKey(store)
  const { sid: handle } = claims
  for (const place of [{ generation: 1, branch: 0 }, { generation: 0, branch: 1 }, { generation: 99, branch: 7 }]) {
    const forged = await key.write({ handle, ...place, anchor: random(), secret: random() })
    expect(await core.refresh(forged, 'header', thief)).toEqual({ kind: 'unauthorized', ended: false })
  }
  await settle()
  expect(heard.map(({ reason }) => reason)).toEqual(['forged', 'forged', 'forged'])
  expect(heard[2]).toEqual({
    reason: 'forged',
    userId: 'alice',
    handle,
    presented: { generation: 99, branch: 7, at: clock(), by: thief },
    current: { generation: 0, branch: 0, at: clock(), by: owner },
  })
  await refreshed(core, refreshToken)
})

test('S-02: nor with the key and the record, the access token or a token of another session', async () => {
  const store = createMemoryStore()
  const { core, clock } = createTestCore({ store })
  const first = await login(core)
  const other = partsOf((await login(core, 'mallory')).refreshToken)
  const key = await leakedKey(store)
  const record = await store.find(first.claims.sid)
  if (record === null) throw new Error('the session is gone')
  const anchors = [record.anchorHash, record.refreshHash, other.anchor, record.handle.padEnd(43, 'A')]
  for (const anchor of anchors) {
    const forged = await key.write({
      handle: record.handle,
      generation: 1,
      branch: 0,
      anchor,
      secret: record.refreshHash,
    })
    expect((await core.refresh(forged, 'header', thief)).kind).toBe('unauthorized')
  }
  clock.advance(HOUR)
  await refreshed(core, first.refreshToken)
})

test('S-02: a token that is not ahead and lacks the anchor is not theft: nothing is revoked', async () => {
  const store = createMemoryStore()
  const { core, clock } = createTestCore({ store })
  const first = await login(core)
  const second = await refreshed(core, first.refreshToken)
  const key = await leakedKey(store)
  for (const later of [0, 70 * SECOND]) {
    clock.advance(later)
    for (const generation of [0, 1]) {
      const forged = await key.write({
        handle: first.claims.sid,
        generation,
        branch: 0,
        anchor: random(),
        secret: random(),
      })
      expect(await core.refresh(forged, 'header', thief)).toEqual({ kind: 'unauthorized', ended: false })
    }
  }
  await refreshed(core, second.refreshToken)
})

test('S-03: applications with different names or audiences reject each other\'s refresh tokens, and revoke nothing', async () => {
  const store = createMemoryStore()
  const clock = createTestCore().clock
  const events: string[] = []
  const on = (name: string) => (): void => void events.push(name)
  const own = { store, clock, application: 'shop', audience: 'https://api.example.com' }
  const { core } = createTestCore(own)
  const { refreshToken } = await login(core)
  const others = [{ application: 'blog' }, { audience: 'https://other.example.com' }, { application: 'Shop' }]
  for (const other of others) {
    const listeners = { onTokenTheft: on('theft'), onRefreshRejected: on('rejected') }
    const another = createTestCore({ ...own, ...other, events: listeners })
    expect(await another.core.refresh(refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: false })
  }
  await settle()
  expect(events).toEqual([])
  await refreshed(core, refreshToken)
})

test('S-03: sessions survive a change of the issuer, as after a change of origin', async () => {
  const store = createMemoryStore()
  const before = createTestCore({ store, issuer: 'https://old.example.com/auth' })
  const { refreshToken } = await login(before.core)
  const after = createTestCore({ store, clock: before.clock, issuer: 'https://new.example.com/auth' })
  expect((await refreshed(after.core, refreshToken)).claims.iss).toBe('https://new.example.com/auth')
})
