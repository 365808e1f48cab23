import { isSessionError } from '../base/errors.ts'
import { cleanup } from './cleanup.ts'
import { reasonOf, UsageError } from './command.ts'
import type { Command, ExitCode, Terminal } from './command.ts'
import { doctor } from './doctor.ts'
import { importCommand } from './import.ts'
import { keys } from './keys.ts'
import { migrate } from './migrate.ts'
import { serve } from './serve.ts'
import { sessions } from './sessions.ts'
import { packageVersion } from '../server/package-version.ts'

const commands: Readonly<Record<string, Command>> = {
  serve,
  migrate,
  cleanup,
  keys,
  sessions,
  import: importCommand,
  doctor,
}

/** Runs the program with these arguments. Never throws: it prints the error and returns the exit code. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first = 'help', ...rest] = args
  if (first === '--version' || first === '-v') {
    terminal.out(packageVersion())
    return 0
  }
  const isHelp = first === 'help' || first === '--help' || first === '-h'
  const name = isHelp ? rest[0] : first
  if (name === undefined) {
    terminal.out(overview())
    return 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    terminal.error(`keyturn: there is no command ${JSON.stringify(name.slice(0, 60))}.\n\n${overview()}`)
    return 2
  }
  if (isHelp || rest.includes('--help') || rest.includes('-h')) {
    terminal.out(command.help)
    return 0
  }
  try {
    return await command.run(rest, terminal)
  } catch (error) {
    terminal.error(`keyturn ${name}: ${explain(error)}`)
    if (!isInvalidCall(error)) return 1
    terminal.error(`See: keyturn ${name} --help`)
    return 2
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map(name => name.length))
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `keyturn <command>\n\n${lines.join('\n')}

keyturn <command> --help describes a command; keyturn --version prints the version.
Exit codes: 0 success, 1 the command failed or found nothing, 2 it was called with invalid arguments.`
}

/** Whether invalid arguments caused the error. Node's argument parser and Keyturn both report them. */
function isInvalidCall(error: unknown): boolean {
  if (error instanceof UsageError || (isSessionError(error) && error.code === 'INVALID_DATA')) return true
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

function explain(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `${error.message}: another program uses this port. Choose another one with --port, or 0 for any free port`
  }
  return reasonOf(error)
}
