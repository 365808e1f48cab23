import { errorCodeOf, ensureEqual } from '../assert.ts'
import {
  sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** The longest user id: 255 characters, of four bytes each in UTF-8. */
const longest = '\u{1f511}'.repeat(255)

/** Ids that a store would confuse if it cuts or pads ids, or treats an empty id as missing. */
const userIds: readonly string[] = [
  '', ' ', 'u'.repeat(254), 'u'.repeat(255), longest, longest.slice(0, -2), `${longest.slice(0, -2)}\u{1f5dd}`,
  '\u4f60'.repeat(255), '\u{10ffff}'.repeat(255), '\ufffd', '\ufffd\ufffd', '\u0001'.repeat(255),
]

/** JSON writes half of a surrogate pair, and U+0000, as escapes. A store must keep the text and not interpret it. */
const escapes = '{"half":"\\ud800","other \\udfff":"\\udfff\\ud800","nul":"\\u0000","text":"\\\\u0000"}'

/** Ids and client data at their maximum length, and texts that a store must not interpret. */
export const identifierCases: readonly ContractCase[] = [
  {
    name: 'S-14: user ids of 0 to 255 characters are all different users, to the last character',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      for (const [number, userId] of userIds.entries()) {
        await store.insert(sampleRecord({ handle: sampleHandle(number), userId }))
      }
      for (const [number, userId] of userIds.entries()) {
        ensureEqual((await reader.find(sampleHandle(number)))?.userId, userId, 'it comes back')
        const { sessions } = await reader.listByUser(userId, { limit: 20, after: null })
        ensureEqual(sessions.map(({ handle }) => handle), [sampleHandle(number)], 'one session each')
      }
      for (const [number, userId] of userIds.entries()) {
        const { handles } = await store.removeByUser(sampleUserRemoval({ userId }))
        ensureEqual(handles, [sampleHandle(number)], 'it alone is removed')
      }
    },
  },
  {
    name: 'S-14: escapes in JSON texts stay as they were written',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const record = sampleRecord({ jwtPayload: escapes, sessionInfo: escapes })
      await store.insert(record)
      ensureEqual(await reader.find(record.handle), record, 'inserted')
      const { handle } = record
      const late = { handle, now: sampleNow, from: sampleNow }
      const changed = escapes.replace('half', 'changed')
      ensureEqual(await store.updateInfo({ ...late, sessionInfo: changed, expectedVersion: 0 }), true, 'the info')
      ensureEqual(
        (await store.updatePayload({ ...late, jwtPayload: changed, expectedVersion: null }))?.version,
        1,
        'the payload',
      )
      const rotated = await store.rotate(sampleRotation())
      ensureEqual([rotated?.sessionInfo, rotated?.jwtPayload], [changed, changed], 'returned by a rotation')
      const found = await reader.find(handle)
      ensureEqual([found?.sessionInfo, found?.jwtPayload], [changed, changed], 'found')
    },
  },
  {
    name: 'S-19: user agents of 512 and addresses of 64 characters are not cut, at login and refresh',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const client = { ip: '\u4f60'.repeat(64), userAgent: '\u4f60'.repeat(512) }
      const record = sampleRecord({ client })
      await store.insert(record)
      ensureEqual((await reader.find(record.handle))?.client, client, 'inserted')
      const next = sampleNext({ client: { ip: 'f'.repeat(64), userAgent: '\u{1f600}'.repeat(256) } })
      ensureEqual((await store.rotate(sampleRotation({ next })))?.client, next.client, 'rotated')
      ensureEqual((await reader.find(record.handle))?.client, next.client, 'found')
    },
  },
  {
    name: 'S-15: a position that no page ended at is an error of the caller, not of the store',
    async run({ open }) {
      const store = await open()
      for (const after of ['', 'x', '1;--', '\0', '{}']) {
        const list = async (): Promise<unknown> => store.listByUser('user-1', { limit: 10, after })
        ensureEqual(await errorCodeOf(list), 'INVALID_DATA', 'refused')
      }
    },
  },
]
