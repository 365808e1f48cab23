import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { diagnose } from './diagnosis.ts'
import type { Finding, Symptoms } from './diagnosis.ts'

/** `keyturn doctor`. */
export const doctor: Command = {
  summary: 'says why a request has no session',
  help: `keyturn doctor URL [--page ORIGIN] [--header 'Name: value']...
keyturn doctor --request FILE --origin ORIGIN [--page ORIGIN]

Looks at one request and says why it has no session: missing, doubled or dropped cookies, domain, path, SameSite,
Secure, CORS, a proxy, clocks. Exit code 1 if something is wrong. Tokens are never printed.

  --page ORIGIN      the origin of the page that sends the request: https://app.example.com
  --header TEXT      a header to send; with the session's cookies, say. May be repeated
  --request FILE     a request as text, "GET /me HTTP/1.1" and its headers, instead of sending one; - is standard input
  --origin ORIGIN    where that request went, as the browser sees it: https://api.example.com
  --json             answers as JSON`,

  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        page: { type: 'string' }, header: { type: 'string', multiple: true }, request: { type: 'string' },
        origin: { type: 'string' }, json: { type: 'boolean' },
      },
    })
    const page = values.page === undefined ? null : urlOf(values.page, '--page')
    const [target, ...rest] = positionals
    if (rest.length > 0 || (target === undefined) === (values.request === undefined)) {
      throw new UsageError('doctor takes a URL, or --request FILE')
    }
    const symptoms = target === undefined
      ? readRequest(values.request ?? '', values.origin, page)
      : await sendRequest(urlOf(target, 'URL'), values.header ?? [], page)
    const findings = diagnose(symptoms)
    if (values.json === true) terminal.out(JSON.stringify(findings))
    else for (const finding of findings) terminal.out(describe(finding))
    return findings.some(({ kind }) => kind === 'wrong') ? 1 : 0
  },
}

function describe({ kind, about, words }: Finding): string {
  return `${{ wrong: 'WRONG', note: 'note ', fine: 'fine ' }[kind]}  ${about}: ${words}`
}

function urlOf(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
  throw new UsageError(`${name} must be like https://app.example.com`)
}

function readRequest(file: string, origin: string | undefined, page: URL | null): Symptoms {
  if (origin === undefined) throw new UsageError('--request needs --origin')
  const [first = '', ...lines] = readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/)
  const [, method = 'GET', target = '/'] = /^([A-Z]+) (\S+)/.exec(first) ?? []
  const blank = lines.indexOf('')
  return {
    url: new URL(target, urlOf(origin, '--origin')),
    method,
    request: headersOf(blank < 0 ? lines : lines.slice(0, blank)),
    response: null,
    page,
    now: Date.now(),
  }
}

async function sendRequest(url: URL, lines: readonly string[], page: URL | null): Promise<Symptoms> {
  const request = headersOf(lines)
  if (page !== null && page.origin !== url.origin) request.set('origin', page.origin)
  const response = await fetch(url, { headers: [...request], redirect: 'manual', signal: AbortSignal.timeout(10_000) })
  await response.body?.cancel()
  const answered = new Map([...response.headers].filter(([name]) => name !== 'set-cookie'))
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) answered.set('set-cookie', cookies.join('\n'))
  return { url, method: 'GET', request, response: answered, page, now: Date.now() }
}

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new UsageError('a header is written as Name: value')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}\n${value}`)
  }
  return headers
}
