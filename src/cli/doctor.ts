import { readFileSync } from 'node:fs'
import { parseJsonObject } from '../base/json.ts'
import { diagnoseApplication } from './application-diagnosis.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { diagnose } from './diagnosis.ts'
import type { Symptoms } from './diagnosis.ts'
import { judge, note, wrong } from './findings.ts'
import type { Finding } from './findings.ts'
import type { LoginAttempt } from './login-diagnosis.ts'
import type { OwnFlag, ParsedArguments } from './settings.ts'
import { diagnoseStore } from './store-diagnosis.ts'
import { describeStoreFlags, parseStoreCall } from './store.ts'
import { createVisitor, headersOf } from './visit.ts'
import type { Visitor } from './visit.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  page: {
    type: 'string', placeholder: 'ORIGIN',
    help: 'the origin of the page that sends the request: https://app.example.com',
  },
  header: {
    type: 'string', placeholder: 'TEXT', isList: true,
    help: 'a header to send, for example with the session\'s cookies (may be repeated)',
  },
  'base-path': {
    type: 'string', placeholder: 'PATH',
    help: 'the path of Keyturn\'s routes as browsers see it; without it, the usual ones are tried',
  },
  login: { type: 'string', placeholder: 'PATH', help: 'a login route to try, with --data' },
  data: { type: 'string', placeholder: 'JSON', help: 'the body of that login' },
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
  summary: 'explains why a request has no session, or what is wrong with an application or a store',
  help: `keyturn doctor https://app.example.com [--page ORIGIN] [--base-path PATH] [--login PATH --data JSON]
keyturn doctor https://app.example.com/me --header 'Name: value'... [--page ORIGIN]
keyturn doctor --request FILE --origin ORIGIN [--page ORIGIN]
keyturn doctor [URL]

Examines an application as browsers reach it: its origin, the prefixes of proxies, TLS, the refresh and sign-out
routes, CORS, cookies, the body parser of a login, clocks. Or examines one request, and explains why it has no session.
Or examines a store: whether it exists and is up to date, the privileges of its user, its clock, and whether the secret
decrypts its keys.

It shows each request that it sent, ends with a verdict and the next command, and prints no token. It changes nothing;
with --login it creates a session, and revokes it. Exit code 1 if something is wrong.

${describeStoreFlags(own)}`,

  async run(args, terminal) {
    const { settings, flags, words, namesStore, json, place } = parseStoreCall(args, own)
    const { page, header, request: file, origin, login, data } = flags
    const [target, ...rest] = words
    const subjects = [target !== undefined, file !== undefined, namesStore].filter(Boolean).length
    const examinesStore = target === undefined && file === undefined
    const ofRequests = [page, header, origin, login, data, flags['base-path']]
    if (rest.length > 0 || subjects > 1 || (examinesStore && ofRequests.some(flag => flag !== undefined))) {
      throw new UsageError('doctor takes one of: the URL of an application or of a request, --request FILE, the URL of '
        + 'a store. --page, --header, --origin, --base-path, --login and --data are for requests')
    }
    const visitor = createVisitor()
    const { findings, again, onward } = examinesStore
      ? {
        findings: await diagnoseStore(place, settings.secrets),
        again: 'keyturn doctor', onward: 'keyturn doctor https://app.example.com',
      }
      : await examine(target, flags, visitor)
    const verdict = judge(findings, again, onward)
    if (json) terminal.out(JSON.stringify({ sent: visitor.sent, findings, ...verdict }))
    else {
      for (const line of visitor.sent) terminal.out(`sent   ${line}`)
      for (const finding of findings) terminal.out(describe(finding))
      terminal.out(`\nVerdict: ${verdict.verdict}\nNext: npx ${verdict.next}`)
    }
    return findings.some(({ kind }) => kind === 'wrong') ? 1 : 0
  },
}

/** What was found, the same command without secrets, and the one that follows if nothing is wrong. */
interface Examination {
  readonly findings: readonly Finding[]
  readonly again: string
  readonly onward: string
}

async function examine(
  target: string | undefined,
  flags: ParsedArguments['flags'],
  visitor: Visitor,
): Promise<Examination> {
  const page = typeof flags['page'] === 'string' ? urlOf(flags['page'], '--page') : null
  if (target === undefined) {
    const symptoms = readRequest(String(flags['request']), flags['origin'], page)
    const again = `keyturn doctor --request FILE --origin ${symptoms.url.origin}`
    return { findings: diagnose(symptoms), again, onward: `keyturn doctor ${symptoms.url.origin}` }
  }
  const url = urlOf(target, 'URL')
  const headers = headersOf(typeof flags['header'] === 'object' ? flags['header'] : [])
  const login = loginOf(flags, url)
  const basePath = typeof flags['base-path'] === 'string' ? flags['base-path'].replace(/\/$/, '') : null
  const named = [
    `keyturn doctor ${url.origin}${url.pathname === '/' ? '' : url.pathname}`,
    ...basePath === null ? [] : [`--base-path ${basePath}`],
    ...page === null ? [] : [`--page ${page.origin}`],
    // Their values may be tokens.
    ...[...headers.keys()].map(name => `--header '${name}: ...'`),
  ].join(' ')
  const findings = [
    ...await examineRequest(url, headers, page, visitor),
    ...await diagnoseApplication({ origin: new URL(url.origin), basePath, page, login }, visitor),
  ]
  const again = login === null ? named : `${named} --login ${login.url.pathname} --data JSON`
  const onward = login === null
    ? `${named} --login /login --data '{"user":"..."}'`
    : `keyturn doctor --request FILE --origin ${url.origin}`
  return { findings, again, onward }
}

/** Sends one request, if it is more than the address of an application. */
async function examineRequest(
  url: URL,
  headers: Map<string, string>,
  page: URL | null,
  visitor: Visitor,
): Promise<readonly Finding[]> {
  if (url.pathname === '/' && headers.size === 0) return []
  if (page !== null && page.origin !== url.origin) headers.set('origin', page.origin)
  const visit = await visitor.send('GET', url, headers)
  const findings = diagnose({ ...visit, page, now: Date.now() })
  if (headers.has('cookie') || headers.has('authorization')) {
    if (visit.status !== 401 || findings.some(({ kind }) => kind === 'wrong')) return findings
    return [...findings, {
      ...wrong('answer', 'The server answered 401, and the request itself shows no reason. The session may have been '
        + 'revoked, or the token is one of another application or of a key that was removed.'),
      next: 'keyturn sessions show HANDLE',
    }]
  }
  // Without credentials of the caller's, nothing can be said about them.
  return [
    ...findings.filter(({ about }) => about !== 'no access token'),
    note('credentials', 'The request was sent without a session. Send one with --header \'Cookie: ...\', or log in '
      + 'with --login.'),
  ]
}

function loginOf({ login, data }: ParsedArguments['flags'], url: URL): LoginAttempt | null {
  if (typeof login !== 'string' && typeof data !== 'string') return null
  if (typeof login !== 'string' || typeof data !== 'string') throw new UsageError('--login and --data go together')
  if (!URL.canParse(login, url) || parseJsonObject(data) === null) {
    throw new UsageError('--login must be a path, such as /login, and --data a JSON object')
  }
  return { url: new URL(login, url), data }
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
