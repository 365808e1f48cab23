import { afterAll, beforeAll, describe, test } from 'vitest'
import type { AppVariant } from '../../src/testing/framework-contract.ts'
import { frameworkContract } from '../../src/testing/framework-contract.ts'
import type { RunningApp } from './serve-web.ts'
import { wireClient } from './wire-client.ts'

/** Runs the whole framework contract over one application, prepared once and started once in each variant. */
export function runFrameworkContract(
  framework: string,
  start: (variant: AppVariant) => RunningApp | Promise<RunningApp>,
  prepare: () => void = () => undefined,
): void {
  describe(`framework contract: ${framework}`, () => {
    beforeAll(prepare)

    const running = new Map<AppVariant, Promise<RunningApp>>()

    function startOnce(variant: AppVariant): Promise<RunningApp> {
      const app = running.get(variant) ?? Promise.resolve(start(variant))
      running.set(variant, app)
      return app
    }

    afterAll(async () => {
      for (const app of running.values()) await (await app).close()
    })

    for (const { name, run } of frameworkContract) {
      test(name, () => run({ open: async variant => wireClient((await startOnce(variant)).port) }))
    }
  })
}
