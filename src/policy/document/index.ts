/** A policy as a document: its schema, its text, and what people and other tools read of it. */
export { policySchema, type JsonSchema } from './schema.js'
export { policyDocument, type PolicyDocument, type PolicyDocumentHalf } from './document.js'
export { accessReview, toCsv, toMarkdown, type ReviewRow } from './review.js'
export { toEtcdctl, type EtcdctlOptions } from './etcdctl.js'
export { expectAccess, type AccessDifference, type ExpectedAccess } from './expect-access.js'
