import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** Servers in a separate process. */
export interface RunningProgram {
  /** The port of each server by its name. */
  readonly ports: ReadonlyMap<string, number>
  close(): Promise<void>
}

/**
 * Starts a program that prints where its servers listen on its standard output, as workerd can: one JSON object per
 * line with `socket` and `port`. Waits for all named servers. The program ends with its standard input.
 */
export async function startProgram(
  command: string,
  parameters: readonly string[],
  names: readonly string[],
  cwd: string,
): Promise<RunningProgram> {
  const child = spawn(command, parameters, { cwd, stdio: 'pipe' })
  const complaints: string[] = []
  child.stderr.setEncoding('utf8').on('data', text => complaints.push(text))
  const ended = once(child, 'close')
  const ports = await Promise.race([
    readPorts(child.stdout, names),
    ended.then(() => Promise.reject(new Error(`${command} ended:\n${complaints.join('')}`))),
  ])
  return {
    ports,
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function readPorts(output: Readable, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>()
  return new Promise(resolve => {
    createInterface({ input: output }).on('line', line => {
      if (!line.startsWith('{')) return
      const { socket, port }: { socket?: string; port?: number } = JSON.parse(line)
      if (socket !== undefined && port !== undefined) ports.set(socket, port)
      if (names.every(name => ports.has(name))) resolve(ports)
    })
  })
}
