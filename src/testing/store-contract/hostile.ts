import { ensureEqual, ensurePresent } from '../assert.ts'
import {
  minute, sampleHandle, sampleListed, sampleKey, sampleNext, sampleNow, samplePresented, sampleRecord, sampleRotation,
  sampleState,
  sampleUserRemoval,
} from '../samples.ts'
import type { ContractCase } from './contract-case.ts'
import { removeDue } from './expiry.ts'

/** Texts that a store must not interpret. */
export const hostileTexts: readonly string[] = [
  '\'; DROP TABLE keyturn_session; --',
  '" OR "1"="1',
  '`backticks` \\ backslash \\\' \\0 %_%* ? ?1 $1 :name @name',
  '__proto__',
  'constructor',
  '{"__proto__":{"polluted":true}}',
  '\u{1f469}\u{200d}\u{1f680} \u4f60\u597d \u0645\u0631\u062d\u0628\u0627 \u{10ffff} \u200f',
  'line\nfeed\r\ntab\t\u0001\u007f\ufeff',
  'NULL',
  '0',
  '*',
  '../../etc/passwd',
  'a:b:{c}',
]

/** Texts that some collations compare as equal. */
const lookalikes: readonly string[] = [
  'User', 'user', 'user ', ' user', '\u00fcser', 'u\u0308ser', 'us\u200ber', '\uff55ser',
]

/** Texts and numbers at the limits of what the port allows. */
export const hostileCases: readonly ContractCase[] = [
  {
    name: 'ST-03: any text in any member is returned unchanged',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      for (const [number, text] of hostileTexts.entries()) {
        const handle = sampleHandle(number)
        const client = { ip: text, userAgent: text }
        const record = sampleRecord({
          handle, userId: text, tenantId: text, refreshHash: text, anchorHash: text, refreshKeyId: text,
          jwtPayload: text, sessionInfo: text, client,
        })
        await store.insert(record)
        ensureEqual(await reader.find(handle), record, 'inserted')
        ensureEqual(
          (await reader.listByUser(text, { limit: 10, after: null })).sessions,
          [sampleListed(record)],
          'listed',
        )
        const next = sampleNext({ refreshHash: `${text}${text}`, client: { ip: null, userAgent: text } })
        ensureEqual(
          (await store.rotate(
            sampleRotation({ handle, expected: samplePresented({ refreshHash: text, anchorHash: text }), next }),
          ))?.refreshHash,
          `${text}${text}`,
          'rotated',
        )
        const late = { handle, now: sampleNow, from: sampleNow }
        await store.updateInfo({ ...late, sessionInfo: `${text}1`, expectedVersion: 0 })
        await store.updatePayload({ ...late, jwtPayload: `${text}2`, expectedVersion: null })
        const updated = ensurePresent(await reader.find(handle), 'found')
        ensureEqual([updated.sessionInfo, updated.jwtPayload], [`${text}1`, `${text}2`], 'updated')
        ensureEqual(await store.acquireLease(text, text, sampleNow, sampleNow + minute), true, 'turn')
      }
      for (const [number, text] of hostileTexts.entries()) {
        ensureEqual((await store.removeByUser(sampleUserRemoval({ userId: text, from: sampleNow }))).handles, [
          sampleHandle(number),
        ], 'removed, and no other')
      }
      ensureEqual(Object.hasOwn(Object.prototype, 'polluted'), false, 'no prototype was changed')
    },
  },
  {
    name: 'ST-03: key material and names may be any text',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      let newest: string | null = null
      for (const [number, text] of hostileTexts.entries()) {
        const key = sampleKey(text, { activeFrom: sampleNow + number, material: text })
        ensureEqual(await store.addKeyIfNewest(key, newest), true, 'added')
        ensureEqual((await reader.listKeys()).at(-1), key, 'listed')
        newest = text
      }
      for (const text of hostileTexts) {
        ensureEqual(await store.replaceKeyMaterial(text, text, `${text}!`), true, 'replaced')
        ensureEqual(await store.removeKey(text, sampleNow + minute), true, 'removed')
      }
      ensureEqual(await reader.listKeys(), [], 'none is left')
    },
  },
  {
    name: 'users whose ids look alike are different users',
    async run({ open }) {
      const store = await open()
      for (const [number, userId] of lookalikes.entries()) {
        await store.insert(sampleRecord({ handle: sampleHandle(number), userId }))
      }
      for (const [number, userId] of lookalikes.entries()) {
        const { sessions } = await store.listByUser(userId, { limit: 10, after: null })
        ensureEqual(sessions.map(record => record.userId), [userId], 'one session each')
        ensureEqual((await store.removeByUser(sampleUserRemoval({ userId, from: sampleNow }))).handles, [
          sampleHandle(number),
        ], 'it alone is removed')
      }
    },
  },
  {
    name: 'handles that differ only in case are different sessions',
    async run({ open }) {
      const store = await open()
      // Six bits a letter: 0 is A, 26 is a.
      const twin = [sampleHandle(0), sampleHandle(26 * 2 ** 26)] as const
      ensureEqual(twin[0].toLowerCase(), twin[1].toLowerCase(), 'the samples are alike but for case')
      for (const handle of twin) await store.insert(sampleRecord({ handle, userId: handle }))
      for (const handle of twin) ensureEqual((await store.find(handle))?.userId, handle, 'each is found')
      ensureEqual((await store.remove([twin[0]], sampleNow)).handles, [twin[0]], 'one is removed')
      ensureEqual((await store.find(twin[1]))?.userId, twin[1], 'the other is not')
    },
  },
  {
    name: 'user ids of 255 characters, addresses of 64, user agents of 512, info and payload of 64 kB',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const wide = (length: number): string => '\u00e9\u{1f600}x'.repeat(length).slice(0, length - (length % 4))
      const record = sampleRecord({
        userId: wide(255),
        client: { ip: 'f'.repeat(64), userAgent: wide(512) },
        sessionInfo: JSON.stringify('i'.repeat(64 * 1024)),
        jwtPayload: JSON.stringify('p'.repeat(64 * 1024)),
      })
      await store.insert(record)
      ensureEqual(await reader.find(record.handle), record, 'inserted whole')
      const twin = sampleRecord({ handle: sampleHandle(2), userId: `${wide(255).slice(0, -1)}y` })
      await store.insert(twin)
      ensureEqual(
        (await reader.listByUser(record.userId, { limit: 10, after: null })).sessions,
        [sampleListed(record)],
        'by user',
      )
      const sessionInfo = JSON.stringify('\u00fc'.repeat(64 * 1024))
      await store.updateInfo({ handle: record.handle, sessionInfo, expectedVersion: null, now: sampleNow })
      ensureEqual((await reader.find(record.handle))?.sessionInfo, sessionInfo, 'updated whole')
    },
  },
  {
    name: 'numbers up to 2^52 stay exact',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const big = 2 ** 52
      const record = sampleRecord({
        createdAt: big - 9, authenticatedAt: big - 8, generation: big - 7, branch: big - 6, rotatedAt: big - 5,
        servedAt: big - 4, idleTimeout: big - 3, absoluteExpiry: big - 1, expiresAt: big - 2,
        accessTokenLifetime: big, payloadVersion: big - 3, infoVersion: big - 4,
      })
      await store.insert(record)
      ensureEqual(await reader.find(record.handle), record, 'inserted')
      const next = sampleNext({ generation: big - 1, branch: big - 2, rotatedAt: 2, servedAt: big - 3 })
      const bounds = { now: big - 3, rotatedAfter: big - 6, createdAfter: big - 10 }
      ensureEqual(await store.rotate(sampleRotation({ expected: sampleState(record), bounds, next })), {
        ...record,
        ...next,
        expiresAt: big - 1,
      }, 'rotated')
      await store.confirm([{ handle: record.handle, generation: big - 1, branch: big - 2 }])
      ensureEqual((await reader.find(record.handle))?.confirmed, true, 'confirmed')
      const late = { handle: record.handle, now: big - 2, from: 0 }
      ensureEqual(await store.updatePayload({ ...late, jwtPayload: '{}', expectedVersion: null }), {
        version: big - 2,
        until: big,
      }, 'payload')
      ensureEqual(await store.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: big - 4 }), true, 'info')
      const expectedChanges = [{ kind: 'payload', handle: record.handle, version: big - 2, until: big }]
      ensureEqual((await reader.changesSince(null, 10)).changes, expectedChanges, 'the change')
      ensureEqual(await removeDue(store, big - 2, 10), 0, 'not expired')
      ensureEqual(await removeDue(store, big - 1, 10), 1, 'expired')
    },
  },
]
