/** Scheme and authority of a request target in absolute form (RFC 9112 section 3.2.2). */
const absoluteForm = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/**
 * The path of a request target or a URL, without the query. A client may send the target in absolute form, as to a
 * proxy; its scheme and host decide nothing. Pure.
 */
export function pathOf(target: string): string {
  const local = target.startsWith('/') ? target : target.replace(absoluteForm, '')
  const path = local.split(/[?#]/, 1)[0] ?? ''
  return path === '' ? '/' : path
}

/** The query of a request target or a URL, with its `?`; empty if it has none. Pure. */
export function queryOf(target: string): string {
  const [local = ''] = target.split('#', 1)
  const start = local.indexOf('?')
  return start === -1 ? '' : local.slice(start)
}
