import { ownVariables, unknownVariables } from '../server/environment.ts'
import type { Environment } from '../server/environment.ts'
import { knownVariables } from '../server/settings.ts'
import { findStoreKind, storeKinds } from '../stores/registry.ts'
import type { StoreKind, StoreNaming } from '../stores/registry.ts'
import { UsageError } from './command.ts'

/** The store of an application that names none. */
export const defaultStoreUrl: string = 'sqlite:keyturn.db'

/** The stores as users write them. */
export const storeUrlHelp: string = `<store>  ${storeKinds.map(({ example }) => example).join(', ')}\n           `
  + `(default KEYTURN_STORE, or else ${defaultStoreUrl})`

/** The store that a command line names, or else the environment as it does for a server. @throws UsageError */
export function storeUrlOf(named: string | undefined, environment: Environment): string {
  const own = ownVariables(environment)
  const problems = unknownVariables(own, knownVariables)
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return named ?? (own['KEYTURN_STORE'] || defaultStoreUrl)
}

/** Reads a URL's kind from its scheme. @throws UsageError */
export function requireStoreKind(url: string): StoreKind {
  const kind = findStoreKind(url)
  if (kind === null) throw new UsageError(`a store is written as one of\n  ${storeUrlHelp}`)
  return kind
}

/** Makes sure that the store is there: to look into a file that is not would make an empty one. @throws Error */
export async function requireStore(url: string, naming: StoreNaming): Promise<void> {
  const { condition, sought } = await requireStoreKind(url).inspect(url, naming)
  if (condition === 'missing') throw new Error(`there is no ${sought}. Name the store, or set KEYTURN_STORE`)
}
