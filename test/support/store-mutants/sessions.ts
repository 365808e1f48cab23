import type { SessionRecord } from '../../../src/session/record.ts'
import type { Rotation, SessionStore } from '../../../src/session/store.ts'
import { sampleNow } from '../../../src/testing/index.ts'
import { silent, tick } from './mutant.ts'
import type { Mutant, Mutants } from './mutant.ts'

/** Stores that break a promise about single sessions. */
export const sessionMutants: Mutants = {
  'insert replaces what exists': sound => ({
    async insert(record) {
      await forget(sound, record)
      await sound.insert(record)
    },
  }),
  'insert loses the absolute expiry': sound => ({
    insert: record => sound.insert({ ...record, absoluteExpiry: null }),
  }),
  'insert takes no address for an empty one': sound => ({
    insert: record => sound.insert({ ...record, client: { ...record.client, ip: record.client.ip ?? '' } }),
  }),
  'find hides expired sessions': sound => ({
    async find(handle) {
      const record = await sound.find(handle)
      return record !== null && record.expiresAt <= sampleNow ? null : record
    },
  }),
  'find answers for an unknown handle': sound => ({
    find: async handle => await sound.find(handle)
      ?? (await sound.listByUser('user-1', { limit: 1, after: null })).sessions[0] ?? null,
  }),
  'rotate ignores the expected hash': sound => ({
    async rotate(rotation) {
      const expectedHash = (await sound.find(rotation.handle))?.refreshHash ?? ''
      return sound.rotate({ ...rotation, expectedHash })
    },
  }),
  'rotate compares hashes without case': sound => ({
    async rotate(rotation) {
      const current = (await sound.find(rotation.handle))?.refreshHash ?? ''
      const same = current.toLowerCase() === rotation.expectedHash.toLowerCase()
      return sound.rotate({ ...rotation, expectedHash: same ? current : rotation.expectedHash })
    },
  }),
  'rotations of one moment get the answers of each other': sound => ({
    rotate: ofOneMoment(sound, answers => answers.toReversed()),
  }),
  'rotations of one moment all lose when one does': sound => ({
    rotate: ofOneMoment(sound, answers => answers.includes(null) ? answers.map(() => null) : answers),
  }),
  'rotate reads, then writes': sound => ({
    async rotate(rotation) {
      const record = await sound.find(rotation.handle)
      if (record?.refreshHash !== rotation.expectedHash) return null
      await tick()
      const current = await sound.find(rotation.handle)
      return sound.rotate({ ...rotation, expectedHash: current?.refreshHash ?? '' })
    },
  }),
  'rotate revives a removed session': sound => {
    const known = new Map<string, SessionRecord>()
    return {
      async insert(record) {
        await sound.insert(record)
        known.set(record.handle, record)
      },
      async rotate(rotation) {
        const record = known.get(rotation.handle)
        if (record !== undefined && await sound.find(rotation.handle) === null) await sound.insert(record)
        return sound.rotate(rotation)
      },
    }
  },
  'rotate creates an unknown session': sound => ({
    async rotate(rotation) {
      const record = (await sound.listByUser('user-1', { limit: 1, after: null })).sessions[0]
      if (record !== undefined && await sound.find(rotation.handle) === null) {
        await sound.insert({ ...record, handle: rotation.handle })
      }
      return sound.rotate(rotation)
    },
  }),
  'rotate returns the record as it was': sound => ({
    async rotate(rotation) {
      const before = await sound.find(rotation.handle)
      return await sound.rotate(rotation) === null ? null : before
    },
  }),
  ...offByOne('now'),
  ...offByOne('rotatedAfter'),
  ...offByOne('createdAfter'),
  'rotate ignores the absolute expiry': sound => ({
    async rotate(rotation) {
      const record = await sound.rotate(rotation)
      return record && { ...record, expiresAt: record.rotatedAt + record.idleTimeout }
    },
  }),
  'rotate drops confirmed': sound => ({
    rotate: rotation => sound.rotate({ ...rotation, next: { ...rotation.next, confirmed: false } }),
  }),
  'rotate serves when it rotates': sound => ({
    rotate: rotation => sound.rotate({ ...rotation, next: { ...rotation.next, servedAt: rotation.next.rotatedAt } }),
  }),
  'rotate keeps the old client': sound => ({
    async rotate(rotation) {
      const client = (await sound.find(rotation.handle))?.client ?? rotation.next.client
      return sound.rotate({ ...rotation, next: { ...rotation.next, client } })
    },
  }),
  'confirm ignores the branch': sound => ({
    confirm: async all => sound.confirm(await Promise.all(all.map(async each =>
      ({ ...each, branch: (await sound.find(each.handle))?.branch ?? 0 })))),
  }),
  'confirm ignores the generation': sound => ({
    confirm: async all => sound.confirm(await Promise.all(all.map(async each =>
      ({ ...each, generation: (await sound.find(each.handle))?.generation ?? 0 })))),
  }),
  'confirm takes only the first': sound => ({ confirm: all => sound.confirm(all.slice(0, 1)) }),
  'updateInfo ignores the version': sound => ({
    updateInfo: update => sound.updateInfo({ ...update, expectedVersion: null }),
  }),
  'updateInfo takes version 0 for any': sound => ({
    updateInfo: update => sound.updateInfo({ ...update, expectedVersion: update.expectedVersion || null }),
  }),
  'updateInfo writes to expired sessions': sound => ({ updateInfo: update => sound.updateInfo({ ...update, now: 0 }) }),
  'updateInfo always says it did': sound => ({
    updateInfo: async update => (await sound.updateInfo(update), true),
  }),
  'updatePayload writes to expired sessions': sound => ({
    updatePayload: update => sound.updatePayload({ ...update, now: 0 }),
  }),
  'updatePayload at the very end': sound => ({
    updatePayload: update => sound.updatePayload({ ...update, now: update.now - 1 }),
  }),
  'updatePayload tells nobody': sound => silent(sound, change => change.kind !== 'payload'),
  'updatePayload returns the old version': sound => ({
    async updatePayload(update) {
      const version = await sound.updatePayload(update)
      return version === null ? null : version - 1
    },
  }),
  'remove tells nobody': sound => silent(sound, change => change.kind !== 'revoked'),
  'remove names what never was': sound => ({
    remove: async (handles, until) => (await sound.remove(handles, until), handles),
  }),
  'remove tells of each session by itself': sound => ({
    remove: async (handles, until) =>
      (await Promise.all(handles.map(handle => sound.remove([handle], until)))).flat(),
  }),
  'remove takes only the first': sound => ({ remove: (handles, until) => sound.remove(handles.slice(0, 1), until) }),
  'remove forgets until': sound => ({ remove: handles => sound.remove(handles, 0) }),
}

function offByOne(bound: 'now' | 'rotatedAfter' | 'createdAfter'): Mutants {
  const shifted = (shift: number): Mutant => sound => ({
    rotate: rotation => sound.rotate({
      ...rotation, alive: { ...rotation.alive, [bound]: rotation.alive[bound] + shift },
    }),
  })
  return { [`rotate is too strict about ${bound}`]: shifted(1), [`rotate is too lax about ${bound}`]: shifted(-1) }
}

/** Deletes a session without telling of it. */
async function forget(sound: SessionStore, record: SessionRecord): Promise<void> {
  if (await sound.find(record.handle) !== null) await sound.remove([record.handle], 0)
}

/** Rotates together what is to be rotated before the next turn of the event loop, and changes the answers. */
function ofOneMoment(
  sound: SessionStore,
  change: (answers: readonly (SessionRecord | null)[]) => readonly (SessionRecord | null)[],
): SessionStore['rotate'] {
  let rotations: Rotation[] = []
  let together: Promise<readonly (SessionRecord | null)[]> | null = null
  return async rotation => {
    const place = rotations.push(rotation) - 1
    together ??= tick().then(async () => {
      const all = rotations
      rotations = []
      together = null
      return change(await Promise.all(all.map(each => sound.rotate(each))))
    })
    return (await together)[place] ?? null
  }
}
