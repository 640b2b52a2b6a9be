/**
 * Which flags an etcd member knows, by version. An unknown flag makes etcd exit.
 *
 * Only what differs within 3.3 to 3.7: read from `etcd --help` of 3.3.25, 3.4.23, 3.5.16, 3.5.30, 3.5.35, 3.6.16 and 3.7.3, and tried
 * where the help is silent (3.4.23 has `--enable-grpc-gateway`); the patch number of `--tls-min-version` is in CHANGELOG-3.5.
 */
import { isSince, type EtcdVersion, type Since } from '../advisories/version.js'

const CHANGED: Readonly<Record<string, { readonly since?: Since; readonly until?: Since }>> = {
  '--peer-cert-allowed-hostname': { since: { '3.4': 0 } },
  '--enable-grpc-gateway': { since: { '3.4': 0 } },
  '--client-cert-file': { since: { '3.5': 0 } },
  '--client-key-file': { since: { '3.5': 0 } },
  '--tls-min-version': { since: { '3.5': 8 } },
  '--enable-v2': { until: { '3.6': 0 } },
}

/** Whether a member of that version knows the flag, of those that are rendered here. */
export function knowsFlag(version: EtcdVersion, flag: `--${string}`): boolean {
  const { since, until } = CHANGED[flag] ?? {}
  return (since === undefined || isSince(version, since)) && (until === undefined || !isSince(version, until))
}

/** A version for messages. */
export const shownVersion = ({ major, minor, patch }: EtcdVersion): string => `${major}.${minor}.${patch}`
