import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sumCalls } from './calls.ts'
import type { Answer, Order } from './child.ts'

/** How fast revocations reached a fleet of processes. */
export interface Spread {
  /** For each revocation, milliseconds from the call of `revokeSession` until the last process refused the token. */
  readonly latencies: readonly number[]
  /** Totals of all processes during the measurement: verifications, and calls of the store by method. */
  readonly served: number
  readonly calls: Readonly<Record<string, number>>
  readonly seconds: number
}

/** What to measure. */
export interface FleetOptions {
  readonly url: string
  readonly processes: number
  readonly push: boolean
  readonly revocations: number
  /** Cuts the connections over which the store notifies processes. */
  readonly cut?: () => Promise<void>
}

type Kind = Answer['kind']
type AnswerOf<Wanted extends Kind> = Extract<Answer, { readonly kind: Wanted }>

/** Server processes on one store. */
class Fleet {
  readonly members: readonly ChildProcess[]

  constructor({ url, processes, push }: FleetOptions) {
    const file = fileURLToPath(new URL('child.ts', import.meta.url))
    this.members = Array.from({ length: processes }, () => fork(file, [url, push ? 'push' : 'poll'], {
      execArgv: ['--conditions=keyturn-source'],
      env: { ...process.env, NODE_ENV: 'production' },
    }))
    for (const member of this.members) {
      // Each revocation in progress adds a listener.
      member.setMaxListeners(0)
      member.once('exit', code => {
        if (code !== 0) throw new Error('a process of the fleet has ended')
      })
    }
  }

  send(member: ChildProcess | undefined, order: Order): void {
    member?.send(order)
  }

  /** The next answer of this kind, about this revocation if it is about one. */
  answer<Wanted extends Kind>(
    member: ChildProcess | undefined,
    kind: Wanted,
    id?: number,
  ): Promise<AnswerOf<Wanted>> {
    const isWanted = (answer: Answer): answer is AnswerOf<Wanted> => (
      answer.kind === kind && (id === undefined || ('id' in answer && answer.id === id))
    )
    return new Promise(resolve => {
      const take = (answer: Answer): void => {
        if (!isWanted(answer)) return
        member?.off('message', take)
        resolve(answer)
      }
      member?.on('message', take)
    })
  }

  ask<Wanted extends Kind>(
    member: ChildProcess | undefined,
    order: Order,
    kind: Wanted,
    id?: number,
  ): Promise<AnswerOf<Wanted>> {
    const answer = this.answer(member, kind, id)
    this.send(member, order)
    return answer
  }
}

/** Revokes sessions in one process, and measures the time until the last of the others refuses the token. */
export async function measureSpread(options: FleetOptions): Promise<Spread> {
  const fleet = new Fleet(options)
  const { members } = fleet
  const [first] = members
  const { sessions } = await fleet.ask(first, { kind: 'login', count: options.revocations + 100 }, 'logins')
  const tokens = sessions.slice(options.revocations).map(({ token }) => token)
  for (const member of members) fleet.send(member, { kind: 'serve', tokens })
  await pause(2500)
  await Promise.all(members.map(member => fleet.ask(member, { kind: 'calls' }, 'calls')))
  const start = performance.now()

  const pending: Promise<number>[] = []
  for (let id = 0; id < options.revocations; id++) {
    const { token, handle } = sessions[id] ?? { token: '', handle: '' }
    await Promise.all(members.map(member => fleet.ask(member, { kind: 'watch', id, token }, 'watching', id)))
    await options.cut?.()
    const refused = Promise.all(members.map(member => fleet.answer(member, 'refused', id)))
    const revoking = fleet.ask(first, { kind: 'revoke', id, handle }, 'revoking', id)
    pending.push(Promise.all([refused, revoking]).then(([ends, { at }]) => Math.max(...ends.map(end => end.at)) - at))
    await pause(37)
  }
  const latencies = await Promise.all(pending)
  const seconds = (performance.now() - start) / 1000
  const counts = await Promise.all(members.map(member => fleet.ask(member, { kind: 'calls' }, 'calls')))
  for (const member of members) {
    member.removeAllListeners()
    member.disconnect()
  }
  return {
    latencies,
    seconds,
    served: counts.reduce((total, { served }) => total + served, 0),
    calls: sumCalls(counts.map(({ calls }) => calls)),
  }
}
