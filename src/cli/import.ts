import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseJsonObject } from '../base/json.ts'
import type { ImportSetup } from '../import/import-sessions.ts'
import { checkImport } from '../import/check.ts'
import type { CheckImportOptions, CheckState } from '../import/check.ts'
import { describeProgress, importProgress } from '../import/progress.ts'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Terminal } from './command.ts'
import type { OwnFlag } from './settings.ts'
import { describeStoreFlags, parseStoreCall, table, withStore } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  check: { type: 'boolean', help: 'reads the old sessions, and says which would come over; writes nothing' },
  setup: { type: 'string', placeholder: 'FILE', help: 'a module whose default export is what importSessions returns' },
  state: { type: 'string', placeholder: 'FILE', help: 'check: keeps the state, and goes on from there' },
  batch: { type: 'string', placeholder: 'COUNT', help: 'check: how many sessions to read at once; 1000 by default' },
}

/** `keyturn import`: checks an import of live sessions beforehand, and says how it goes. */
export const importCommand: Command = {
  summary: 'checks an import of live sessions of another system, and says how it goes',
  help: `keyturn import --check --setup FILE [--state FILE] [--batch COUNT] [--json]
keyturn import [URL] [--setup FILE]

--check   reads every session of the old system, and says how many would come over, how many not, and why, with ten
          examples. Reads only, and needs no store. It can be interrupted: with --state, the next call goes on. The
          module may also export checkOptions: the schemas payload and info of createSessions, for instance.
Otherwise shows how many sessions were taken over per day, and whether the importer can be removed. With --setup, it
knows the end of the import.

${describeStoreFlags(own)}`,

  async run(args, terminal) {
    const call = args.includes('--check') ? parseStoreCall(args, own) : null
    if (call === null) {
      return withStore(args, own, terminal, ({ flags, words, json }) => async (store, now): Promise<ExitCode> => {
        if (words.length > 0) throw new UsageError('import takes one argument: the store')
        const file = flags['setup']
        const setup = typeof file === 'string' ? await loadSetup(file) : null
        const progress = importProgress(await store.countImports(), now, setup?.setup.plan.until ?? null)
        terminal.out(json ? JSON.stringify(progress) : [
          ...progress.days.length === 0 ? []
            : [table(['DAY', 'SESSIONS'], progress.days.map(({ day, count }) => [day, `${count}`]))],
          describeProgress(progress),
        ].join('\n'))
        return 0
      })
    }
    const { flags, words, json } = call
    const { setup: file, state: stateFile, batch } = flags
    if (words.length > 0) throw new UsageError('import --check takes no further arguments')
    if (typeof file !== 'string') {
      throw new UsageError(
        'import --check needs --setup FILE: a module whose default export is what importSessions returns',
      )
    }
    const size = batch === undefined ? undefined : Number(batch)
    if (size !== undefined && !(Number.isInteger(size) && size >= 1 && size <= 10_000)) {
      throw new UsageError('--batch must be a whole number from 1 to 10,000')
    }
    const loaded = await loadSetup(file)
    return check(loaded, typeof stateFile === 'string' ? stateFile : null, size, json, terminal)
  },
}

interface LoadedSetup {
  readonly setup: ImportSetup
  readonly options: Pick<CheckImportOptions, 'payload' | 'info' | 'maxSessionInfoBytes'>
  close(): Promise<void>
}

async function check(
  { setup, options, close }: LoadedSetup,
  stateFile: string | null,
  batch: number | undefined,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const from = stateFile === null ? null : readState(stateFile)
  try {
    const result = await checkImport(setup, {
      ...options,
      ...from === null || from.done ? {} : { from },
      ...batch === undefined ? {} : { batch },
      onProgress(state, total) {
        if (stateFile !== null) writeState(stateFile, state)
        showBar(state, total)
      },
    })
    terminal.out(json ? JSON.stringify(result) : describe(result))
    return result.alive === result.read ? 0 : 1
  } finally {
    await close()
  }
}

async function loadSetup(file: string): Promise<LoadedSetup> {
  let loaded: unknown
  try {
    loaded = await import(pathToFileURL(resolve(file)).href)
  } catch (cause) {
    throw new Error(`cannot load the module ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  const { default: setup, checkOptions = {}, close } = isModule(loaded) ? loaded : {}
  if (!isSetup(setup)) throw new UsageError(`the default export of ${file} must be what importSessions returns`)
  return {
    setup,
    options: typeof checkOptions === 'object' && checkOptions !== null ? checkOptions : {},
    close: async () => typeof close === 'function' ? void await Reflect.apply(close, undefined, []) : undefined,
  }
}

function isModule(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isSetup(value: unknown): value is ImportSetup {
  return typeof value === 'object' && value !== null && 'plan' in value && 'connect' in value
}

function readState(file: string): CheckState | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return null
  }
  const state = parseJsonObject(text)
  if (isState(state)) return state
  throw new UsageError(`${file} is not the state of a check: delete it to begin again`)
}

function isState(value: unknown): value is CheckState {
  return isModule(value) && typeof value['read'] === 'number' && typeof value['importer'] === 'number'
    && 'after' in value
}

/** Writes the state so that an interruption leaves the old one or the new one. */
function writeState(file: string, state: CheckState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state))
  renameSync(`${file}.new`, file)
}

const WIDTH = 30

/** Draws a progress bar, where somebody sees it. */
function showBar({ read, done }: CheckState, total: number | null): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${progressBar(read, total)}${done ? '\n' : ''}`)
}

/** A progress bar; a number alone if the total is unknown. Pure. */
export function progressBar(read: number, total: number | null): string {
  if (total === null) return `${read} sessions`
  const part = total === 0 ? 1 : Math.min(1, read / total)
  return `[${'#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '.')}] ${read} of ${total} sessions`
}

function describe({ read, alive, reasons, examples, uncounted }: CheckState): string {
  const lines = [`Read ${read} sessions: ${alive} would come over, ${read - alive} would not.`]
  const counted = Object.entries(reasons).sort(([, left], [, right]) => right - left)
  if (counted.length > 0) {
    lines.push('',
      table(['COUNT', 'REASON'], counted.map(([reason, count]) => [`${count}`, meanings[reason] ?? reason])))
  }
  if (examples.length > 0) {
    lines.push('', table(['SYSTEM', 'SESSION', 'REASON'], examples.map(({ source, session, reason, detail }) => (
      [source, session, detail ?? reason]
    ))))
  }
  for (const source of uncounted) lines.push('',
    `${source}: the sessions are not listed on the server, so they cannot be counted.`)
  return lines.join('\n')
}

const meanings: Readonly<Record<string, string>> = {
  'anonymous': 'nobody is logged in',
  'expired': 'expired',
  'missing': 'gone meanwhile',
  'revoked': 'ended by its own system, as by a password change',
  'no-user': 'the user is gone or inactive',
  'impersonated': 'an administrator acts as another user',
  'unreadable': 'the data cannot be read: another secret or serializer',
  'reused': 'replaced',
  'not-selected': 'not selected',
  'unwritable': 'the data does not fit: too long, reserved claims, or refused by the schema',
}
