import type * as fc from 'fast-check'
import type { SessionStore } from '../../../src/session/store.ts'

/** The store behind a network: the scheduler decides when each call reaches it and when each response arrives. */
export function interleaved(store: SessionStore, scheduler: fc.Scheduler): SessionStore {
  const delayed = <Input extends readonly unknown[], Output>(
    name: string,
    call: (...input: Input) => Promise<Output>,
  ) => async (...input: Input): Promise<Output> => {
    await scheduler.schedule(Promise.resolve(), `${name} arrives`)
    const output = await call(...input)
    await scheduler.schedule(Promise.resolve(), `${name} is answered`)
    return output
  }
  return {
    ...store,
    find: delayed('find', handle => store.find(handle)),
    rotate: delayed('rotate', rotation => store.rotate(rotation)),
    reauthenticate: delayed('reauthenticate', reauthentication => store.reauthenticate(reauthentication)),
    removeUnchanged: delayed('removeUnchanged', (...input) => store.removeUnchanged(...input)),
    remove: delayed('remove', (handles, until) => store.remove(handles, until)),
    insert: delayed('insert', record => store.insert(record)),
  }
}
