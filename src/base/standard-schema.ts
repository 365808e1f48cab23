/**
 * The part of Standard Schema (version 1) that Keyturn reads; zod, valibot, arktype and others implement it. `Input` is
 * what the schema accepts, `Output` what it returns: defaults, coercions and transforms make them differ.
 */
export interface StandardSchema<Input, Output = Input> {
  /** What the specification defines: the version, the library's name and the validation. */
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/**
 * The result of a validation: the value, or issues. Check `issues` to tell them apart: some libraries return arrays as
 * failures.
 */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** One failure of a validation. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}
