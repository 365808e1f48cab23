import { readFileSync } from 'node:fs'
import { reasonOf, UsageError } from './command.ts'
import type { Command } from './command.ts'
import { diagnose } from './diagnosis.ts'
import type { Finding, Symptoms } from './diagnosis.ts'
import type { OwnFlag, ParsedArguments } from './settings.ts'
import { diagnoseStore } from './store-diagnosis.ts'
import { describeStoreFlags, parseStoreCall } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  page: {
    type: 'string', placeholder: 'ORIGIN',
    help: 'the origin of the page that sends the request: https://app.example.com',
  },
  header: {
    type: 'string', placeholder: 'TEXT', isList: true,
    help: 'a header to send, for example with the session\'s cookies (may be repeated)',
  },
  request: {
    type: 'string', placeholder: 'FILE',
    help: 'examines the request in this file ("GET /me HTTP/1.1", then headers) and sends none; - reads standard input',
  },
  origin: {
    type: 'string', placeholder: 'ORIGIN',
    help: 'the origin that the request in the file was sent to, as the browser sees it: https://api.example.com',
  },
}

/** `keyturn doctor`. */
export const doctor: Command = {
  summary: 'explains why a request has no session, or what is wrong with a store',
  help: `keyturn doctor https://... [--page ORIGIN] [--header 'Name: value']...
keyturn doctor --request FILE --origin ORIGIN [--page ORIGIN]
keyturn doctor [URL]

Examines a request and explains why it has no session: missing, duplicate or dropped cookies, Domain, Path, SameSite,
Secure, CORS, a proxy, clocks. Or examines a store: whether it exists and is up to date, its clock, and whether the
secret decrypts its keys. Changes nothing and prints no token. Exit code 1 if something is wrong.

${describeStoreFlags(own)}`,

  async run(args, terminal) {
    const { settings, flags, words, namesStore, json, place } = parseStoreCall(args, own)
    const { page, header, request: file, origin } = flags
    const [target, ...rest] = words
    const subjects = [target !== undefined, file !== undefined, namesStore].filter(Boolean).length
    const examinesStore = target === undefined && file === undefined
    if (rest.length > 0 || subjects > 1 || (examinesStore && [page, header, origin].some(flag => flag !== undefined))) {
      throw new UsageError('doctor takes one of: the URL of a request, --request FILE, the URL of a store. '
        + '--page, --header and --origin are for requests')
    }
    const findings = examinesStore
      ? await diagnoseStore(place, settings.secrets)
      : diagnose(await readSymptoms(target, flags))
    if (json) terminal.out(JSON.stringify(findings))
    else for (const finding of findings) terminal.out(describe(finding))
    return findings.some(({ kind }) => kind === 'wrong') ? 1 : 0
  },
}

async function readSymptoms(target: string | undefined, flags: ParsedArguments['flags']): Promise<Symptoms> {
  const { page: pageText, header, request: file, origin } = flags
  const page = typeof pageText === 'string' ? urlOf(pageText, '--page') : null
  if (target === undefined) return readRequest(String(file), origin, page)
  return sendRequest(urlOf(target, 'URL'), typeof header === 'object' ? header : [], page)
}

function describe({ kind, about, words }: Finding): string {
  return `${{ wrong: 'WRONG', note: 'note ', fine: 'fine ' }[kind]}  ${about}: ${words}`
}

function urlOf(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
  throw new UsageError(`${name} must be an http or https URL, such as https://app.example.com`)
}

function readRequest(file: string, origin: ParsedArguments['flags'][string], page: URL | null): Symptoms {
  if (typeof origin !== 'string') throw new UsageError('--request needs --origin, the origin of the request\'s URL')
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
  const response = await fetch(url, {
    headers: [...request], redirect: 'manual', signal: AbortSignal.timeout(10_000),
  }).catch((error: unknown) => {
    // The message of `fetch` is always the same; its cause has the reason.
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new Error(`there was no response from ${url.origin}: ${reasonOf(reason)}`, { cause: error })
  })
  await response.body?.cancel()
  const headers = new Map([...response.headers].filter(([name]) => name !== 'set-cookie'))
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) headers.set('set-cookie', cookies.join('\n'))
  return { url, method: 'GET', request, response: headers, page, now: Date.now() }
}

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new UsageError('a header must have the form Name: value')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}\n${value}`)
  }
  return headers
}
