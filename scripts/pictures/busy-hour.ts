import type { ConsoleApplication, Tokens } from '../../test/e2e/console-support/application.ts'
import { userAgents } from '../../test/e2e/console-support/seed.ts'
import type { ManualScheduler } from '../../test/e2e/console-support/manual-scheduler.ts'

const STEP = 15_000
const STEPS = 240
const agents = Object.values(userAgents)

/** Lets an hour pass in which users log in, call and refresh, more and less of them in turn. */
export async function passHour(
  application: Pick<ConsoleApplication, 'clock' | 'logIn' | 'call' | 'refresh'>, scheduler: ManualScheduler,
): Promise<void> {
  const clients: { tokens: Tokens; agent: string }[] = []
  for (let step = 0; step < STEPS; step++) {
    const wave = 1 + Math.sin(step / 24) + Math.sin(step / 7) / 3
    const logins = Math.max(0, Math.round(wave * 2 + (step * 7919 % 3) - 1))
    for (let count = 0; count < logins; count++) {
      const agent = agents[(step + count) % agents.length] ?? ''
      clients.push({ agent, tokens: await application.logIn(`visitor-${step}-${count}`, agent) })
    }
    const calls = Math.round(10 + wave * 12)
    for (let call = 0; call < calls; call++) {
      await application.call(clients[(step * 31 + call * 7) % clients.length]?.tokens.accessToken ?? '')
    }
    for (const client of clients.filter((_, index) => (index * 13 + step) % 90 === 0)) {
      const tokens = await application.refresh(client.tokens.refreshToken, client.agent)
      if (tokens !== null) client.tokens = tokens
    }
    application.clock.advance(STEP)
    await scheduler.pass(STEP)
  }
}
