import { received } from '../base/options.ts'
import { kindOfStore } from '../stores/registry.ts'
import type { StoreKind, StoreNaming } from '../stores/registry.ts'
import type { ServerSettings } from './setting-schema.ts'

/** The id of the application whose sessions are those of the console. */
export const CONSOLE_APP = 'console'

/** The settings that say where sessions are stored. */
export type StoreSettings = Pick<ServerSettings, 'store' | 'prefix' | 'schema'>

/** Where the sessions of one application are stored: a store, and the names of its tables or keys. */
export interface StorePlace {
  readonly url: string
  readonly kind: StoreKind
  readonly naming: StoreNaming
}

/**
 * Where an application's sessions are stored, for the server and for every command. The first application uses the
 * prefix unchanged: `keyturn_`, or that of an embedded application. Others append their id: `keyturn_shop_`.
 * @throws GeneralError (`MISUSE`) if the URL names no kind of store.
 */
export function locateStore({ store, prefix, schema }: StoreSettings, appId: string): StorePlace {
  const kind = kindOfStore(store)
  const first = prefix ?? kind.prefix.defaultValue
  return {
    url: store,
    kind,
    naming: {
      prefix: appId === 'public' ? first : kind.prefixFor(appId, first),
      ...schema === null ? {} : { schema },
    },
  }
}

/** One message for each of these settings that the kind of store does not accept. */
export function findStoreSettingProblems(
  settings: StoreSettings & Pick<ServerSettings, 'apps' | 'poolSize' | 'console'>,
): readonly string[] {
  const { prefix, schema, apps, poolSize } = settings
  const { kind } = locateStore(settings, 'public')
  const problems: string[] = []
  if (schema !== null && kind.schema === null) problems.push(`--schema must be left out: ${kind.title} has no schemas`)
  if (schema !== null && kind.schema?.isValid(schema) === false) {
    problems.push(`--schema must be ${kind.schema.expected}; received ${received(schema, false)}`)
  }
  if (poolSize !== null && !kind.hasPool) {
    problems.push(`--pool-size must be left out: ${kind.title} has no pool of connections`)
  }
  if (prefix !== null && !kind.prefix.isValid(prefix)) {
    return [...problems, `--prefix must be ${kind.prefix.expected}; received ${received(prefix, false)}`]
  }
  for (const appId of settings.console ? [...apps, CONSOLE_APP] : apps) {
    const { naming } = locateStore(settings, appId)
    if (kind.prefix.isValid(naming.prefix)) continue
    problems.push(
      `--prefix and --app make the prefix ${received(naming.prefix, false)}, which must be ${kind.prefix.expected}`,
    )
  }
  return problems
}
