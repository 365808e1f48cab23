import type { ImportClaim } from '../../../src/session/import-claims.ts'
import { tick } from './mutant.ts'
import type { Mutants } from './mutant.ts'

/** Stores that violate the contract for import claims. */
export const importMutants: Mutants = {
  'admitImport adds the session without a claim': sound => ({
    async admitImport({ claim, record }) {
      return { claim, outcome: await sound.insert(record) ? 'admitted' : 'refused' }
    },
  }),
  'admitImport adds the session again after its removal': sound => ({
    async admitImport(admission) {
      const admitted = await sound.admitImport(admission)
      if (admitted.outcome === 'known' && await sound.find(admission.record.handle) === null) {
        await sound.insert(admission.record)
      }
      return admitted
    },
  }),
  'admitImport returns the given claim instead of the one that stands': sound => ({
    admitImport: async admission => ({ ...await sound.admitImport(admission), claim: admission.claim }),
  }),
  'admitImport reads and writes the claim in two steps': sound => {
    const claims = new Map<string, ImportClaim>()
    return {
      findImport: async handle => claims.get(handle) ?? null,
      async admitImport(admission) {
        const standing = claims.get(admission.claim.handle)
        await tick()
        if (standing !== undefined) return { claim: standing, outcome: 'known' }
        claims.set(admission.claim.handle, admission.claim)
        return { ...await sound.admitImport(admission), outcome: 'admitted' }
      },
    }
  },
  'admitImport compares not-befores with the time of the admission': sound => ({
    admitImport: ({ claim, record }) => sound.admitImport({ claim: { ...claim, issuedAt: claim.admittedAt }, record }),
  }),
  'admitImport lets a credential of an unknown age pass': sound => ({
    admitImport: ({ claim, record }) => sound.admitImport({
      claim: { ...claim, issuedAt: claim.issuedAt === 0 ? claim.admittedAt : claim.issuedAt }, record,
    }),
  }),
  'admitImport removes sessions that were refreshed': sound => ({
    async admitImport(admission) {
      const admitted = await sound.admitImport(admission)
      if (admitted.outcome === 'refused') await sound.remove([admission.record.handle], 0)
      return admitted
    },
  }),
  'admitImport applies no not-before to a claim that exists': sound => ({
    async admitImport(admission) {
      const claim = await sound.findImport(admission.claim.handle)
      return claim === null ? sound.admitImport(admission) : { claim, outcome: 'known' }
    },
  }),
  'admitImport keeps no claim on what a not-before refuses': sound => {
    const refused = new Set<string>()
    return {
      findImport: async handle => refused.has(handle) ? null : sound.findImport(handle),
      async admitImport(admission) {
        const admitted = await sound.admitImport(admission)
        if (admitted.outcome === 'refused') refused.add(admission.claim.handle)
        return admitted
      },
    }
  },
  'claims are removed with their sessions': sound => ({
    async findImport(handle) {
      return await sound.find(handle) === null ? null : sound.findImport(handle)
    },
  }),
  'findImport loses the proof': sound => ({
    async findImport(handle) {
      const claim = await sound.findImport(handle)
      return claim && { ...claim, proof: claim.proof.slice(0, 64) }
    },
  }),
  'countImports counts every call': sound => {
    let calls = 0
    return {
      admitImport: admission => {
        calls += 1
        return sound.admitImport(admission)
      },
      async countImports() {
        const [first, ...rest] = await sound.countImports()
        return first === undefined ? [] : [{ ...first, count: calls - rest.length }, ...rest]
      },
    }
  },
  'countImports returns the newest first': sound => ({
    countImports: async () => (await sound.countImports()).toReversed(),
  }),
}
