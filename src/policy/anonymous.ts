/** A client without a user. */

/** Stands for a client that no user of the policy names: no certificate Common Name, or one that is no user. */
export const anonymous: unique symbol = Symbol('anonymous')

/** The type of {@link anonymous}. */
export type Anonymous = typeof anonymous
