/**
 * Whether two types are the same to the compiler, their modifiers included. `any` is the same as `any` alone. Write it
 * where the types are known: in a generic type of your own it is false.
 */
export type Equal<One, Other> =
  (<Probe>() => Probe extends One ? 1 : 2) extends (<Probe>() => Probe extends Other ? 1 : 2) ? true : false

/** Compiles with `true` alone: `export type Check = Expect<Equal<One, Other>>`. */
export type Expect<Holds extends true> = Holds

/** The members that an object of this type must have. */
export type RequiredKeys<Type> = {
  [Key in keyof Type]-?: object extends Pick<Type, Key> ? never : Key
}[keyof Type]

/** `typeOf(value).is<Expected>()` compiles if that is exactly the type of the value. */
export declare function typeOf<const Actual>(value: Actual): {
  is<Expected>(...difference: Equal<Actual, Expected> extends true ? [] : [actual: Actual, expected: Expected]): void
}
