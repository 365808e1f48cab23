import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A process of `children/`, which runs the sources. It ends with this process. */
export interface Child<Order, Answer> {
  send(order: Order): void
  /** The next message of the process. */
  next(): Promise<Answer>
  stop(): void
}

/** Starts a process of `children/`. */
export function startChild<Order extends object, Answer>(
  name: string,
  parameters: readonly string[],
): Child<Order, Answer> {
  const file = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url))
  const child: ChildProcess = fork(file, parameters, { execArgv: ['--conditions=keyturn-source'] })
  const answers: Answer[] = []
  const waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = []
  child.on('message', (answer: Answer) => {
    const first = waiting.shift()
    if (first === undefined) answers.push(answer)
    else first.resolve(answer)
  })
  child.on('exit', code => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`the process ${name} has ended with ${code}`))
  })
  return {
    send: order => void child.send(order),
    next: () => new Promise((resolve, reject) => {
      const answer = answers.shift()
      if (answer !== undefined) resolve(answer)
      else if (child.exitCode !== null) reject(new Error(`the process ${name} has ended with ${child.exitCode}`))
      else waiting.push({ resolve, reject })
    }),
    stop: () => child.disconnect(),
  }
}
