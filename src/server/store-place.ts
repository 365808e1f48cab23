import { kindOfStore } from '../stores/registry.ts'
import type { StoreKind, StoreNaming } from '../stores/registry.ts'

/** Where the sessions of one application are: a store, and what tables or keys are called there. */
export interface StorePlace {
  readonly url: string
  readonly kind: StoreKind
  readonly naming: StoreNaming
}

/** Where an application's sessions are. @throws GeneralError (`MISUSE`) if the URL names no kind of store. */
export function placeOf(url: string, appId: string): StorePlace {
  const kind = kindOfStore(url)
  const prefix = kind.prefix.preset
  return { url, kind, naming: { prefix: appId === 'public' ? prefix : kind.prefixFor(appId, prefix) } }
}
