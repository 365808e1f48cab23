import { GeneralError, isSessionError } from '../base/errors.ts'
import type { SessionStore } from './store.ts'

/**
 * The same store, whose every failure is a `GeneralError` of kind `unavailable`, with the driver's own error as its
 * cause: never read as "no session", and never a message that could hold a connection string (ST-07).
 */
export function guardStore(store: SessionStore): SessionStore {
  const guard = <Input extends readonly unknown[], Output>(
    operation: string,
    call: (this: SessionStore, ...input: Input) => Promise<Output>,
  ) => async (...input: Input): Promise<Output> => {
    try {
      return await call.call(store, ...input)
    } catch (cause) {
      if (isSessionError(cause)) throw cause
      throw new GeneralError('unavailable', `the session store failed to ${operation}`, { cause })
    }
  }
  return {
    insert: guard('add a session', store.insert),
    find: guard('find a session', store.find),
    rotate: guard('rotate a session', store.rotate),
    confirm: guard('confirm rotations', store.confirm),
    updateInfo: guard('update session info', store.updateInfo),
    updatePayload: guard('update a payload', store.updatePayload),
    remove: guard('remove sessions', store.remove),
    removeByUser: guard('remove a user\'s sessions', store.removeByUser),
    listByUser: guard('list sessions', store.listByUser),
    removeExpired: guard('remove expired sessions', store.removeExpired),
    takeTurn: guard('take a turn', store.takeTurn),
    changesSince: guard('read changes', store.changesSince),
    follow: guard('follow changes', store.follow),
    time: guard('tell the time', store.time),
    listKeys: guard('list keys', store.listKeys),
    addKeyIfNewest: guard('add a key', store.addKeyIfNewest),
    replaceKeyMaterial: guard('replace a key\'s material', store.replaceKeyMaterial),
    removeKey: guard('remove a key', store.removeKey),
    close: guard('close', store.close),
  }
}
