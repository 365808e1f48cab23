import { received } from '../base/options.ts'
import { kindOfStore } from '../stores/registry.ts'
import type { StoreKind, StoreNaming } from '../stores/registry.ts'
import type { ServerSettings } from './setting-schema.ts'

/** The settings that say where sessions are. */
export type StoreSettings = Pick<ServerSettings, 'store' | 'prefix' | 'schema'>

/** Where the sessions of one application are: a store, and what tables or keys are called there. */
export interface StorePlace {
  readonly url: string
  readonly kind: StoreKind
  readonly naming: StoreNaming
}

/**
 * Where an application's sessions are, for a server and for every command. The first application has the prefix itself,
 * `keyturn_` or what an embedded application chose; another one has its id behind it: `keyturn_shop_`.
 * @throws GeneralError (`MISUSE`) if the URL names no kind of store.
 */
export function placeOf({ store, prefix, schema }: StoreSettings, appId: string): StorePlace {
  const kind = kindOfStore(store)
  const first = prefix ?? kind.prefix.preset
  return {
    url: store,
    kind,
    naming: {
      prefix: appId === 'public' ? first : kind.prefixFor(appId, first),
      ...schema === null ? {} : { schema },
    },
  }
}

/** What the kind of store does not take of the names in it, each in one sentence. */
export function findMisnaming(settings: StoreSettings & Pick<ServerSettings, 'apps'>): readonly string[] {
  const { prefix, schema, apps } = settings
  const { kind } = placeOf(settings, 'public')
  const problems: string[] = []
  if (schema !== null && kind.schema === null) problems.push(`--schema must be left out: ${kind.title} has no schemas`)
  if (schema !== null && kind.schema?.fits(schema) === false) {
    problems.push(`--schema must be ${kind.schema.accepts}; received ${received(schema, false)}`)
  }
  if (prefix !== null && !kind.prefix.fits(prefix)) {
    return [...problems, `--prefix must be ${kind.prefix.accepts}; received ${received(prefix, false)}`]
  }
  for (const appId of apps) {
    const { naming } = placeOf(settings, appId)
    if (kind.prefix.fits(naming.prefix)) continue
    problems.push(`--prefix and --app make the prefix ${received(naming.prefix, false)}, which must be ${kind.prefix.accepts}`)
  }
  return problems
}
