import { decideOffset } from '../session/decide-offset.ts'
import type { TimeSample } from '../session/decide-offset.ts'
import type { Health, HealthReason } from '../session/health.ts'
import type { StoredKey } from '../tokens/key-store.ts'
import { isEncrypted } from '../tokens/encryption.ts'
import type { ConsoleFinding } from './api-types.ts'

/** What each reason of `health()` means for an operator, and what to do. */
const ofReason: Readonly<
  Record<HealthReason, readonly [severity: ConsoleFinding['severity'], sentence: string, cure: string]>
> = {
  'store-unreachable': ['error', 'The store cannot be reached, or does not answer in time.',
    'Check that the database runs and that this server can reach it. Logins and refreshes work again by themselves.'],
  'store-failed': ['error', 'The store answers with errors.', 'Read the log of the database: its disk may be full.'],
  'credentials-refused': ['error', 'The store refuses the user or the password.',
    'Correct the URL of the store, and start this process again.'],
  'driver-missing': ['error', 'The driver of the store is not installed, or too old.',
    'Install it; the log of this process names it.'],
  'tables-missing': ['error', 'The tables of the store do not exist.', 'Run `keyturn migrate`.'],
  'tables-outdated': ['error', 'The tables of the store are of an older version.', 'Run `keyturn migrate`.'],
  'tables-newer': ['error', 'A newer version of Keyturn has migrated the tables.',
    'Install that version here as well.'],
  'privileges-missing': ['error', 'The database user lacks a right on the tables.',
    'Grant the rights of docs/production.md; `keyturn doctor` names the one that is missing.'],
  'keys-undecryptable': ['error', 'Keys in the store are encrypted, and no secret of this process decrypts them.',
    'Give this process the secret that the others have.'],
  'keys-unencrypted': ['error', 'This process has a secret, but keys in the store are not encrypted.',
    'Run `keyturn keys encrypt` once with the secret.'],
  'keys-unreachable': ['error', 'The key set of the server cannot be read.', 'Check the address of the server.'],
  'feed-unreachable': ['error', 'The revocation feed of the server cannot be read.',
    'Check the address of the server.'],
  'misconfigured': ['error', 'An option is invalid.', 'Read the log of this process: it names the option.'],
  'feed-stale': ['warning', 'The change log was not read for longer than `maxStaleness`: sessions are read from the '
    + 'store for each request.', 'Look at the latency of the store. Requests are slower until the log can be read.'],
  'revocations-unchecked': ['error', 'Access tokens are accepted without a revocation check, because neither the '
    + 'change log nor the store can be read.', 'Restore the store. Until then revoked sessions are accepted until '
    + 'their access token expires; `onStoreFailure: \'failClosed\'` refuses them instead.'],
  'keys-missing': ['error', 'This process has no keys: it cannot verify access tokens.',
    'Restore the store. Send this process no requests meanwhile.'],
  'key-rotation-overdue': ['warning', 'The next signing key should be in use by now.',
    'Read the log of this process for `key rotation`; then run `keyturn keys rotate`.'],
}

/** What a health check found, for an operator: worst first. Pure. */
export function findingsOfHealth({ reasons, feed }: Pick<Health, 'reasons' | 'feed'>): readonly ConsoleFinding[] {
  const found = reasons.map(reason => {
    const [severity, sentence, cure] = ofReason[reason]
    return { severity, sentence, cure }
  })
  if (feed.mode === 'off') {
    found.push({
      severity: 'warning', sentence: 'Access tokens of revoked sessions are accepted until they expire.',
      cure: 'Set `accessTokenBlacklisting` to "feed", unless that is meant.',
    })
  }
  return worstFirst(found)
}

/** What is to be said about the keys of a store. Pure. */
export function findingsOfKeys(keys: readonly StoredKey[]): readonly ConsoleFinding[] {
  const plain = keys.filter(key => !isEncrypted(key)).length
  if (keys.length === 0) {
    return [{
      severity: 'info', sentence: 'There are no keys yet.',
      cure: 'They are created by the first login or verification.',
    }]
  }
  if (plain === 0) return []
  return [{
    severity: 'warning',
    sentence:
      `${plain} of ${keys.length} keys are not encrypted: read access to the store is enough to forge access tokens.`,
    cure: 'Set `secret` (`--secret`) to the same text of at least 32 random characters in every process, and run '
      + '`keyturn keys encrypt` once.',
  }]
}

/** What is to be said about the clocks of this machine and of the store. Pure. */
export function findingsOfClock(sample: TimeSample): readonly ConsoleFinding[] {
  const decision = decideOffset(sample, 0)
  if (decision.kind !== 'refuse') return []
  const minutes = Math.round(Math.abs(decision.offset) / 60_000)
  return [{
    severity: 'error',
    sentence: `This machine's clock is ${minutes} minutes ${decision.offset > 0 ? 'behind' : 'ahead of'} the store's, too much to be `
      + 'corrected: processes disagree about when sessions expire.',
    cure: 'Set the clock that is wrong.',
  }]
}

/** Findings in the order of their severity. */
export function worstFirst(findings: readonly ConsoleFinding[]): readonly ConsoleFinding[] {
  const order: readonly ConsoleFinding['severity'][] = ['error', 'warning', 'info']
  return findings.toSorted((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity))
}
