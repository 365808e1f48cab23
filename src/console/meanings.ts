import { metrics } from '../session/metric-table.ts'
import type { MeaningName } from './api-types.ts'

/** What each number of the overview means. */
export const meanings: Readonly<Record<MeaningName, string>> = {
  logins: metrics['keyturn.sessions.created'].meaning,
  refreshes: 'Refresh tokens that were exchanged for new ones, in whichever way.',
  revocations: 'Sessions that were revoked: by a sign-out, an operator, token theft, or because a user had too many.',
  thefts: metrics['keyturn.token.thefts'].meaning,
  refusals:
    'Refresh tokens with a valid tag that were refused: of before a new authentication, or made with a leaked key.',
  verified: 'Access tokens that this process verified.',
  cacheHits: 'Verifications that found the token in the cache: its signature was verified before.',
  verifyP50: 'Half of the verifications took no longer than this.',
  verifyP99: 'Of a hundred verifications, one took longer than this.',
  storeP50: 'Half of the store calls that succeeded took no longer than this.',
  storeP99: 'Of a hundred store calls that succeeded, one took longer than this.',
  feedLag: 'Time since this process read the change log: so late it may hear of a revocation by another process. 0 while '
    + 'no request asks.',
  sessionsInUse: 'Sessions with a valid access token that this process has verified: their clients were here within the '
    + 'lifetime of an access token. Sessions that are idle for longer, or use other processes, are not among them.',
  rejected: metrics['keyturn.verifications.rejected'].meaning.split('. ')[0] ?? '',
  storeFailures: 'Calls to the store that failed.',
  keyAge: metrics['keyturn.key.age'].meaning,
  storeLatency: 'How long the store took to answer the call that was made for this page.',
}
