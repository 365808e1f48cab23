import type { FailureReason } from '../base/errors.ts'

/** The codes and words of systems and drivers for a server or a file that is away, or a server that is silent. */
const away = new RegExp('ECONN|EHOST|ENET|ENOTFOUND|EAI_|EPIPE|ENOENT|CONNECTION_LOST|timed? ?out|terminated|closed'
  + '|max retries|unable to open', 'i')
const forbidden = /EACCES|EPERM|EROFS|readonly database/

/** Why a call failed, by the error of the driver or the operating system. Pure. */
export function failureReasonOf(error: unknown): FailureReason {
  const { code, message }: { readonly code?: unknown; readonly message?: unknown } = Object(error)
  const words = `${String(code)} ${String(message)}`
  return forbidden.test(words) ? 'privileges-missing' : away.test(words) ? 'store-unreachable' : 'store-failed'
}
