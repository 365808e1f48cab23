import { kindOfStore } from '../stores/registry.ts'
import type { ServerSettings } from './settings.ts'

/** The warnings about settings that a server logs when it starts: they work, but protect less than one may expect. */
export function warningsOf({ store, secrets }: Pick<ServerSettings, 'store' | 'secrets'>): readonly string[] {
  // A file on this machine can be protected by its permissions. Every program with the password can read a database.
  if (kindOfStore(store).isFile || secrets.length > 0) return []
  return ['the signing keys in the store are not encrypted: read access to the store is enough to forge access tokens. '
    + 'Set --secret (KEYTURN_SECRET) to the same text of at least 32 random characters on every server: '
    + 'openssl rand -hex 32']
}
