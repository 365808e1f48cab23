import { kindOfStore } from '../stores/registry.ts'
import type { ServerSettings } from './settings.ts'

/** What a server says of its settings when it starts: they work, but are weaker than their owner may think. */
export function warningsOf({ store, secrets }: Pick<ServerSettings, 'store' | 'secrets'>): readonly string[] {
  // A file is read by whoever may read the whole machine's; a database by every program that has its password.
  if (kindOfStore(store).isFile || secrets.length > 0) return []
  return ['the signing keys are not encrypted in the store: whoever can read it can forge access tokens. Set --secret '
    + '(KEYTURN_SECRET) to the same text of at least 32 random characters on every server: openssl rand -hex 32']
}
