/** What `health()` found, in words. */
export const statusWords = {
  ok: 'Everything works', degraded: 'Something fails', failing: 'Access tokens cannot be verified',
} as const
export const statusTones = { ok: 'good', degraded: 'warning', failing: 'bad' } as const
