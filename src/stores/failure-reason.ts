import type { FailureReason } from '../base/errors.ts'

/**
 * The codes and words of systems and drivers for a server or a file that is away, or a server that is silent. The third
 * line has those of HTTP and of gateways, and the last those of Cloudflare, whose databases restart now and then.
 */
const away = new RegExp('ECONN|EHOST|ENET|ENOTFOUND|EAI_|EPIPE|ENOENT|CONNECTION_(LOST|DESTROYED)|timed? ?out'
  + '|terminated|closed|max retries|unable to open|connection ?refused'
  + '|fetch failed|error sending request|unable to connect|HTTP status (50[234]|52\\d|530)'
  + '|network connection lost|is overloaded|to be reset|DB reset because', 'i')
const forbidden = /EACCES|EPERM|EROFS|readonly database/

/** How many causes are looked at: some drivers wrap the error of `fetch`, which wraps that of the system. */
const DEPTH = 4

/** Why a call failed, by the error of the driver or the operating system, and its causes. Pure. */
export function failureReasonOf(error: unknown): FailureReason {
  const words = wordsOf(error, DEPTH)
  return forbidden.test(words) ? 'privileges-missing' : away.test(words) ? 'store-unreachable' : 'store-failed'
}

function wordsOf(error: unknown, causes: number): string {
  const { code, message, cause }: { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown } =
    Object(error)
  const own = `${String(code)} ${String(message)}`
  return cause === undefined || causes === 0 ? own : `${own} ${wordsOf(cause, causes - 1)}`
}
