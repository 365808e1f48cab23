import type { SessionRecord } from '../../../src/session/record.ts'
import type { Rotation, SessionStore, TokenState } from '../../../src/session/store.ts'
import { sampleHandle, sampleNow, sampleState } from '../../../src/testing/contracts.ts'
import { silent, tick, together } from './mutant.ts'
import type { Mutant, Mutants } from './mutant.ts'

/** Stores that violate the contract for single sessions. */
export const sessionMutants: Mutants = {
  'insert replaces what exists': sound => ({
    async insert(record) {
      await forget(sound, record)
      return sound.insert(record)
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
  'find returns a session for an unknown handle': sound => ({
    async find(handle) {
      const [other] = (await sound.listByUser('user-1', { limit: 1, after: null })).sessions
      return await sound.find(handle) ?? (other === undefined ? null : sound.find(other.handle))
    },
  }),
  ...ignoring('refreshHash'),
  ...ignoring('anchorHash'),
  ...ignoring('generation'),
  ...ignoring('branch'),
  ...ignoring('confirmed'),
  ...ignoring('rotatedAt'),
  ...ignoring('servedAt'),
  'remove names a session as often as it is given': sound => ({
    async remove(handles, from) {
      const { handles: removed, until } = await sound.remove(handles, from)
      return { handles: handles.filter(handle => removed.includes(handle)), until }
    },
  }),
  'rotate compares hashes without case': sound => ({
    async rotate(rotation) {
      const current = (await sound.find(rotation.handle))?.refreshHash ?? ''
      const { refreshHash } = rotation.expected
      const same = current.toLowerCase() === refreshHash.toLowerCase()
      return sound.rotate({
        ...rotation, expected: { ...rotation.expected, refreshHash: same ? current : refreshHash },
      })
    },
  }),
  'rotate has no windows': sound => ({
    async rotate(rotation) {
      const record = await sound.find(rotation.handle)
      if (record === null || rotation.expected.confirmed !== undefined) return sound.rotate(rotation)
      return sound.rotate({ ...rotation, expected: { ...sampleState(record), ...rotation.expected } })
    },
  }),
  'rotate keeps its windows by the time of the rotation alone': sound => ({
    async rotate(rotation) {
      const record = await sound.find(rotation.handle)
      if (record === null || rotation.expected.confirmed !== undefined) return sound.rotate(rotation)
      const { now } = rotation.bounds
      if (record.generation > 0 && now - record.rotatedAt <= 2 * record.reuseInterval) return null
      return sound.rotate({ ...rotation, expected: { ...sampleState(record), ...rotation.expected } })
    },
  }),
  'reauthenticate keeps the anchor': sound => ({
    async reauthenticate(change) {
      const anchorHash = (await sound.find(change.handle))?.anchorHash ?? change.next.anchorHash
      return sound.reauthenticate({ ...change, next: { ...change.next, anchorHash } })
    },
  }),
  'reauthenticate keeps the time of the authentication': sound => ({
    async reauthenticate(change) {
      const authenticatedAt = (await sound.find(change.handle))?.authenticatedAt ?? change.next.authenticatedAt
      return sound.reauthenticate({ ...change, next: { ...change.next, authenticatedAt } })
    },
  }),
  'removeUnchanged removes what has changed': sound => ({
    removeUnchanged: (handle, _, from) => sound.remove([handle], from),
  }),
  'removeUnchanged appends no change': sound => ({
    async removeUnchanged(handle, state, from) {
      const record = await sound.find(handle)
      if (record === null || JSON.stringify(sampleState(record)) !== JSON.stringify(state)) {
        return { handles: [], until: from }
      }
      return { handles: [handle], until: from + record.accessTokenLifetime }
    },
  }),
  'rotations of one tick get the results of each other': sound => ({
    rotate: ofOneTick(sound, answers => answers.toReversed()),
  }),
  'rotations of one tick all fail when one does': sound => ({
    rotate: ofOneTick(sound, answers => answers.includes(null) ? answers.map(() => null) : answers),
  }),
  'rotate reads, then writes': sound => ({
    async rotate(rotation) {
      const record = await sound.find(rotation.handle)
      if (record?.refreshHash !== rotation.expected.refreshHash) return null
      await tick()
      const current = await sound.find(rotation.handle)
      return current && sound.rotate({ ...rotation, expected: sampleState(current) })
    },
  }),
  'rotate restores a removed session': sound => {
    const known = new Map<string, SessionRecord>()
    return {
      async insert(record) {
        known.set(record.handle, record)
        return sound.insert(record)
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
      const [other] = (await sound.listByUser('user-1', { limit: 1, after: null })).sessions
      const record = other === undefined ? null : await sound.find(other.handle)
      if (record !== null && await sound.find(rotation.handle) === null) {
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
  'updateInfo always returns true': sound => ({
    updateInfo: async update => (await sound.updateInfo(update), true),
  }),
  'updatePayload writes to expired sessions': sound => ({
    updatePayload: update => sound.updatePayload({ ...update, now: 0 }),
  }),
  'updatePayload writes at the exact expiry': sound => ({
    updatePayload: update => sound.updatePayload({ ...update, now: update.now - 1 }),
  }),
  'updatePayload ignores the version': sound => ({
    updatePayload: update => sound.updatePayload({ ...update, expectedVersion: null }),
  }),
  'updatePayload takes version 0 for any version': sound => ({
    updatePayload: update => sound.updatePayload({ ...update, expectedVersion: update.expectedVersion || null }),
  }),
  'updatePayload appends no change': sound => silent(sound, change => change.kind !== 'payload'),
  'updatePayload returns the old version': sound => ({
    async updatePayload(update) {
      const updated = await sound.updatePayload(update)
      return updated && { ...updated, version: updated.version - 1 }
    },
  }),
  'remove appends no change': sound => silent(sound, change => change.kind !== 'revoked'),
  'remove returns handles that did not exist': sound => ({
    remove: async (handles, from) => ({ ...await sound.remove(handles, from), handles }),
  }),
  'remove appends a change for each session': sound => ({
    remove: async (handles, from) => together(await Promise.all(handles.map(handle => sound.remove([handle], from)))),
  }),
  'remove takes only the first': sound => ({ remove: (handles, until) => sound.remove(handles.slice(0, 1), until) }),
  'remove ignores from': sound => ({ remove: handles => sound.remove(handles, 0) }),
  'remove keeps its change for one lifetime, whatever those of the sessions': sound => ({
    async remove(handles, from) {
      const lifetime = (await sound.find(handles[0] ?? sampleHandle(0)))?.accessTokenLifetime ?? 0
      return { ...await sound.remove(handles, from), until: from + lifetime }
    },
  }),
}

/** A store that ignores one member of the state that a rotation expects. */
function ignoring(member: keyof TokenState): Mutants {
  return {
    [`rotate ignores the expected ${member}`]: sound => ({
      async rotate(rotation) {
        const { expected } = rotation
        const record = await sound.find(rotation.handle)
        if (record === null || !(member in expected)) return sound.rotate(rotation)
        return sound.rotate({ ...rotation, expected: { ...expected, [member]: record[member] } })
      },
    }),
  }
}

function offByOne(bound: 'now' | 'rotatedAfter' | 'createdAfter'): Mutants {
  const shifted = (shift: number): Mutant => sound => ({
    rotate: rotation => sound.rotate({
      ...rotation, bounds: { ...rotation.bounds, [bound]: rotation.bounds[bound] + shift },
    }),
  })
  return { [`rotate is too strict about ${bound}`]: shifted(1), [`rotate is too lax about ${bound}`]: shifted(-1) }
}

/** Deletes a session without a change that a reader sees. */
async function forget(sound: SessionStore, record: SessionRecord): Promise<void> {
  if (await sound.find(record.handle) !== null) await sound.remove([record.handle], 0)
}

/** Runs the rotations of one tick of the event loop together, and changes the results. */
function ofOneTick(
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
