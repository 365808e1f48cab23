import { GeneralError, isSessionError } from '../base/errors.ts'
import type { AnySessionError } from '../base/errors.ts'
import type { SessionStore } from './store.ts'
import { wrapStore } from './wrap-store.ts'

/** What each method does, to complete "the session store failed to". */
const operations: Readonly<Record<keyof SessionStore, string>> = {
  check: 'check its tables',
  insert: 'add a session',
  find: 'find a session',
  rotate: 'rotate a session',
  reauthenticate: 'reauthenticate a session',
  confirm: 'confirm refresh tokens',
  updateInfo: 'update session info',
  updatePayload: 'update a JWT payload',
  remove: 'remove sessions',
  removeUnchanged: 'remove a session',
  removeByUser: 'remove a user\'s sessions',
  removeAll: 'remove all sessions',
  listByUser: 'list sessions',
  listNewest: 'list the newest sessions',
  removeExpired: 'remove expired sessions',
  acquireLease: 'acquire a lease',
  changesSince: 'read changes',
  follow: 'follow changes',
  appendEvent: 'append an event',
  pageEvents: 'read events',
  time: 'read its clock',
  findImport: 'find an import claim',
  admitImport: 'take a session over',
  countImports: 'count imported sessions',
  listKeys: 'list keys',
  addKeyIfNewest: 'add a key',
  replaceKeyMaterial: 'replace a key\'s material',
  removeKey: 'remove a key',
  close: 'close',
}

/** The names of the methods of a store. */
export const storeMethods: readonly string[] = Object.keys(operations)

/**
 * Wraps a store. Every failure becomes a `GeneralError` with the code `STORE_UNAVAILABLE`, whose cause is the driver's
 * error. So a failure never counts as "no session", and no message contains a connection string (ST-07).
 */
export function guardStore(store: SessionStore): SessionStore {
  return wrapStore((name, call) => async (...input) => {
    try {
      return await call(store, ...input)
    } catch (cause) {
      throw storeFailure(name, cause)
    }
  })
}

/** What a wrapped store throws if its method threw `cause`. */
export function storeFailure(method: keyof SessionStore, cause: unknown): AnySessionError {
  if (isSessionError(cause)) return cause
  return new GeneralError('STORE_UNAVAILABLE', `the session store failed to ${operations[method]}`, { cause })
}
