import type { SessionStore } from './store.ts'

/** Creates the method `name` of a store. `call` calls the same method of another store. */
export type WrapMethod = <Input extends readonly unknown[], Output>(
  name: keyof SessionStore,
  call: (store: SessionStore, ...input: Input) => Promise<Output>,
) => (...input: Input) => Promise<Output>

/**
 * Creates a store from `wrap`, which creates each method. For behaviour that all methods have in common, such as a
 * timeout or the conversion of errors.
 * @example
 * wrapStore((name, call) => async (...input) => {
 *   console.log(name)
 *   return call(store, ...input)
 * })
 */
export function wrapStore(wrap: WrapMethod): SessionStore {
  return {
    check: wrap('check', store => store.check()),
    insert: wrap('insert', (store, ...input) => store.insert(...input)),
    find: wrap('find', (store, ...input) => store.find(...input)),
    rotate: wrap('rotate', (store, ...input) => store.rotate(...input)),
    reauthenticate: wrap('reauthenticate', (store, ...input) => store.reauthenticate(...input)),
    confirm: wrap('confirm', (store, ...input) => store.confirm(...input)),
    updateInfo: wrap('updateInfo', (store, ...input) => store.updateInfo(...input)),
    updatePayload: wrap('updatePayload', (store, ...input) => store.updatePayload(...input)),
    remove: wrap('remove', (store, ...input) => store.remove(...input)),
    removeUnchanged: wrap('removeUnchanged', (store, ...input) => store.removeUnchanged(...input)),
    removeByUser: wrap('removeByUser', (store, ...input) => store.removeByUser(...input)),
    removeAll: wrap('removeAll', (store, ...input) => store.removeAll(...input)),
    listByUser: wrap('listByUser', (store, ...input) => store.listByUser(...input)),
    listNewest: wrap('listNewest', (store, ...input) => store.listNewest(...input)),
    removeExpired: wrap('removeExpired', (store, ...input) => store.removeExpired(...input)),
    acquireLease: wrap('acquireLease', (store, ...input) => store.acquireLease(...input)),
    changesSince: wrap('changesSince', (store, ...input) => store.changesSince(...input)),
    follow: wrap('follow', (store, ...input) => store.follow(...input)),
    appendEvent: wrap('appendEvent', (store, ...input) => store.appendEvent(...input)),
    pageEvents: wrap('pageEvents', (store, ...input) => store.pageEvents(...input)),
    time: wrap('time', store => store.time()),
    findImport: wrap('findImport', (store, ...input) => store.findImport(...input)),
    admitImport: wrap('admitImport', (store, ...input) => store.admitImport(...input)),
    countImports: wrap('countImports', store => store.countImports()),
    listKeys: wrap('listKeys', store => store.listKeys()),
    addKeyIfNewest: wrap('addKeyIfNewest', (store, ...input) => store.addKeyIfNewest(...input)),
    replaceKeyMaterial: wrap('replaceKeyMaterial', (store, ...input) => store.replaceKeyMaterial(...input)),
    removeKey: wrap('removeKey', (store, ...input) => store.removeKey(...input)),
    close: wrap('close', store => store.close()),
  }
}
