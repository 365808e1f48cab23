import { platform } from '#platform'
import type { StorePlace } from '../server/store-place.ts'
import type { SessionStore } from '../session/store.ts'
import { isEncrypted } from '../tokens/encryption.ts'
import { createKeyLoader } from '../tokens/key-material.ts'
import { reasonOf } from './command.ts'
import { wrong } from './findings.ts'
import type { Finding } from './findings.ts'
import { readStoreTime } from './store-time.ts'
import { explainState, openReady } from './store.ts'

/**
 * Checks whether a process with these settings could use a store: its tables, privileges, clock and keys. Creates and
 * changes nothing.
 */
export async function diagnoseStore(place: StorePlace, secrets: readonly string[]): Promise<readonly Finding[]> {
  const { url, kind, naming } = place
  let store: SessionStore | null = null
  try {
    const state = await kind.inspect(url, naming)
    if (state.condition !== 'ready') {
      const isNewer = state.condition === 'newer'
      return [{ ...wrong('store', explainState(state, kind)), ...isNewer ? {} : { next: 'keyturn migrate' } }]
    }
    store = await openReady(place)
    // The privileges of the database user, and whether the server accepts writes.
    await store.check()
    return [
      { kind: 'fine', about: 'store', words: `It exists and is up to date: ${state.target}.` },
      await readStoreTime(store).then(
        (): Finding => ({ kind: 'fine', about: 'clock', words: 'It agrees with this machine\'s clock.' }),
        error => wrong('clock', reasonOf(error))),
      await examineKeys(store, secrets),
    ]
  } catch (error) {
    return [wrong('store', reasonOf(error))]
  } finally {
    await store?.close()
  }
}

async function examineKeys(store: SessionStore, secrets: readonly string[]): Promise<Finding> {
  const keys = await store.listKeys()
  if (keys.length === 0) {
    return { kind: 'note', about: 'keys', words: 'There are none: no server or application has used this store yet.' }
  }
  try {
    await (await createKeyLoader(platform.crypto, secrets)).accept(keys)
  } catch (error) {
    const next = keys.some(isEncrypted) ? 'keyturn keys list' : 'keyturn keys encrypt'
    return { ...wrong('keys', reasonOf(error)), next }
  }
  if (keys.every(isEncrypted)) return { kind: 'fine', about: 'keys', words: `There are ${keys.length}, all encrypted.` }
  const words = `There are ${keys.length}, not encrypted: read access to the store is enough to forge access tokens. `
    + 'In production, set a secret.'
  return { kind: 'note', about: 'keys', words }
}
